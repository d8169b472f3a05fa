/** The first schema. A released migration is never edited; the next change is the next file. */
export const begin = `
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE apps (
  name              TEXT PRIMARY KEY,
  file              TEXT,
  config_json       TEXT NOT NULL,
  wanted            TEXT NOT NULL CHECK (wanted IN ('up', 'stopped')),
  release           INTEGER NOT NULL,
  instances         INTEGER NOT NULL,
  created_at_ms     INTEGER NOT NULL,
  ready_signal_seen INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE releases (
  app           TEXT NOT NULL,
  number        INTEGER NOT NULL,
  config_json   TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (app, number)
) WITHOUT ROWID, STRICT;

CREATE TABLE workers (
  app           TEXT NOT NULL,
  slot          INTEGER NOT NULL,
  generation    INTEGER NOT NULL,
  lane          TEXT NOT NULL,
  release       INTEGER NOT NULL,
  pid           INTEGER NOT NULL,
  start_ticks   INTEGER NOT NULL,
  boot_id       TEXT NOT NULL,
  spawn         TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  phase         TEXT NOT NULL,
  restarts      INTEGER NOT NULL,
  PRIMARY KEY (app, slot, generation)
) WITHOUT ROWID, STRICT;

CREATE TABLE ports (
  app              TEXT NOT NULL,
  key              TEXT NOT NULL,
  address_json     TEXT NOT NULL,
  declared         INTEGER NOT NULL,
  random_index     INTEGER,
  protocol         TEXT NOT NULL,
  first_held_at_ms INTEGER NOT NULL,
  PRIMARY KEY (app, key)
) WITHOUT ROWID, STRICT;

CREATE TABLE operations (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  app           TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('running', 'done')),
  started_at_ms INTEGER NOT NULL,
  ended_at_ms   INTEGER,
  phase         TEXT NOT NULL,
  state_json    TEXT NOT NULL,
  receipt_json  TEXT
) WITHOUT ROWID, STRICT;
CREATE INDEX operations_by_app ON operations (app, id);

CREATE TABLE events (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms     INTEGER NOT NULL,
  app       TEXT,
  worker    TEXT,
  type      TEXT NOT NULL,
  reason    TEXT,
  data_json TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_app ON events (app, seq);
`;
