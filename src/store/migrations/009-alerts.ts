/**
 * Alerts: where their machine is, what receivers were told, what they have not taken yet (`dead_at_ms` is set once it is given
 * up), and what keeps alerts quiet.
 */
export const alerts = `
CREATE TABLE alert_states (
  id         TEXT PRIMARY KEY,
  state_json TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE alert_groups (
  receiver   TEXT NOT NULL,
  key        TEXT NOT NULL,
  told_at_ms INTEGER NOT NULL,
  told_json  TEXT NOT NULL,
  PRIMARY KEY (receiver, key)
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
CREATE INDEX alert_deliveries_by_receiver ON alert_deliveries (receiver, place);

CREATE TABLE silences (
  id            TEXT PRIMARY KEY,
  matchers_json TEXT NOT NULL,
  starts_at_ms  INTEGER NOT NULL,
  ends_at_ms    INTEGER NOT NULL,
  comment       TEXT NOT NULL,
  created_by    TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
`;
