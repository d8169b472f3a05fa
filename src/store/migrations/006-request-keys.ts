/** Operations know the request that they were begun by: one that is sent again finds them instead of beginning them twice. */
export const requestKeys = `
  ALTER TABLE operations ADD COLUMN request_key TEXT;
  ALTER TABLE operations ADD COLUMN request_digest TEXT;
  ALTER TABLE operations ADD COLUMN request_done INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX operations_by_request ON operations (request_key) WHERE request_key IS NOT NULL;
`;
