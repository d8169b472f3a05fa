/** What a worker was in its slot, and which order it was booted for: an interrupted operation goes on from there. */
export const workerRoles = `
  ALTER TABLE workers ADD COLUMN role TEXT NOT NULL DEFAULT 'holder';
  ALTER TABLE workers ADD COLUMN for_order TEXT;
`;
