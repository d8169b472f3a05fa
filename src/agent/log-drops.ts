/** Adds up what several outputs, or several processes of one worker, have dropped. */
import type { LogDrops } from '../protocol/agent.ts';

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

/** Tells whether there is something to say that was not said yet. */
export class DropNews {
  #told = '';

  /** Once true for what it was given, false until that changes. */
  isNew(drops: LogDrops | undefined): boolean {
    const state = drops === undefined ? '' : `${drops.bytes} ${drops.isDropping}`;
    const isNew = state !== this.#told;
    this.#told = state;
    return isNew;
  }
}
