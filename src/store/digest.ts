/**
 * A few characters for what a row says, kept in the row. SQLite checks the structure of its pages and not their
 * contents: a flipped bit in a configuration would go unnoticed and start another program. No protection against
 * anybody.
 */

/** The daemon has it loaded anyway; computed natively, because V8's compilers are off there. */
const { hash } = process.getBuiltinModule('node:crypto');

const LENGTH = 12;

export const digestOf = (values: readonly (string | number | null)[]): string =>
  hash('sha1', values.join('\0'), 'base64').slice(0, LENGTH);
