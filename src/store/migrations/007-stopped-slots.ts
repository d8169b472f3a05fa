/**
 * Which single workers of an app were stopped. Not in the app's digest, which rows from before have without it: what is
 * damaged here starts a worker, or leaves one stopped.
 */
export const stoppedSlots = `
  ALTER TABLE apps ADD COLUMN stopped_slots_json TEXT NOT NULL DEFAULT '[]';
`;
