/** Adds up what several outputs, or several processes of one worker, have dropped. */
import type { LogDrops } from '../protocol/index.ts';

/** Undefined where nobody dropped anything. */
export function sumDrops(parts: readonly (LogDrops | null | undefined)[]): LogDrops | undefined {
  const all = parts.filter((part) => part !== null && part !== undefined);
  const [first] = all;
  if (first === undefined) return undefined;
  const dropping = all.find(({ isDropping }) => isDropping);
  return {
    lines: all.reduce((sum, { lines }) => sum + lines, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    isDropping: dropping !== undefined,
    code: (dropping ?? first).code,
  };
}
