/** How a worker ended for good: its record stays, so that the next daemon does not run a finished job again. */
export const endedWorkers = `
  ALTER TABLE workers ADD COLUMN exit_json TEXT;
`;
