/** When a change began and ended, by the wall clock: its last step, and its duration before that. */
import type { ReceiptDocument } from '../../src/protocol/index.ts';

export function spanOf({ steps, durationMs }: ReceiptDocument): { readonly from: number; readonly to: number } {
  const to = Math.max(...steps.map(({ at }) => Date.parse(at)));
  return { from: to - durationMs, to };
}
