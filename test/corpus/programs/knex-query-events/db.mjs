import knex from 'knex';

// Statements are only built here; the gateway executes them.
export const db = knex({ client: 'pg' });
db.setMaxListeners?.(0);
db.context?.setMaxListeners?.(0);
