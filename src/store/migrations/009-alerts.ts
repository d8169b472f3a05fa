/**
 * Alerts: where each of them is and what each receiver was told, what receivers have not taken yet (`dead_at_ms` is set once
 * it is given up), and silences (one that comes again and again has no end).
 */
export const alerts = `
CREATE TABLE alert_states (
  kind       TEXT NOT NULL CHECK (kind IN ('alert', 'receiver')),
  id         TEXT NOT NULL,
  state_json TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID, STRICT;

CREATE TABLE alert_deliveries (
  id            TEXT PRIMARY KEY,
  receiver      TEXT NOT NULL,
  key           TEXT NOT NULL,
  place         INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  attempts      INTEGER NOT NULL,
  next_at_ms    INTEGER NOT NULL,
  error         TEXT,
  dead_at_ms    INTEGER,
  message_json  TEXT NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (receiver, attempts) WHERE dead_at_ms IS NULL;
CREATE INDEX alert_deliveries_dead ON alert_deliveries (dead_at_ms) WHERE dead_at_ms IS NOT NULL;

CREATE TABLE silences (
  id            TEXT PRIMARY KEY,
  ends_at_ms    INTEGER,
  document_json TEXT NOT NULL
) WITHOUT ROWID, STRICT;
`;
