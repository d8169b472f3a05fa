/** Which slots have held a port: an app may give each of its workers one of its own. */
export const portSlots = `
  ALTER TABLE ports ADD COLUMN slots_json TEXT NOT NULL DEFAULT '[]';
`;
