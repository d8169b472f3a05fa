/**
 * A number for what a row says, kept in the row. SQLite checks the structure of its pages and not their contents: a
 * flipped bit in a configuration would go unnoticed and start another program. No protection against anybody.
 */

/** FNV-1a over the values as JSON, 32 bits. */
export function digestOf(values: readonly (string | number | null)[]): number {
  const text = JSON.stringify(values);
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
