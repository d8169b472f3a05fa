/** Rows from which workers are started know a digest of themselves; null in those from before, until they are written again. */
export const digests = `
  ALTER TABLE apps ADD COLUMN digest TEXT;
  ALTER TABLE releases ADD COLUMN digest TEXT;
  ALTER TABLE ports ADD COLUMN digest TEXT;
`;
