/** What may be kept, and what goes when it is too much. Decides only; `retention.ts` looks and removes. */

/** Of one app. */
export interface LogLimits {
  /** A file with more than this outside archives is rotated. */
  readonly maxSizeBytes: number;
  /** Archives of each slot and stream that stay, and generations of a slot. */
  readonly keep: number;
  /** What is older goes; null: age does not matter. */
  readonly maxAgeMs: number | null;
  readonly rotate: 'in-place' | 'rename';
}

/** Of all apps together. */
export interface LogBudget {
  readonly quotaBytes: number;
  /** Space to be left on the disk; `'auto'`: 1 GiB, or a twentieth of a smaller disk. */
  readonly minFreeBytes: number | 'auto';
}

const MIB = 1024 ** 2;
export const DEFAULT_LIMITS: LogLimits = { maxSizeBytes: 100 * MIB, keep: 10, maxAgeMs: null, rotate: 'in-place' };
export const DEFAULT_BUDGET: LogBudget = { quotaBytes: 10 * 1024 * MIB, minFreeBytes: 'auto' };

export interface DiskState {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** How many bytes have to be freed, for the quota and for the disk. */
export function excessBytes(usedBytes: number, disk: DiskState | null, budget: LogBudget): number {
  const { quotaBytes, minFreeBytes } = budget;
  const wanted =
    disk === null ? 0 : minFreeBytes === 'auto' ? Math.min(1024 * MIB, disk.totalBytes / 20) : minFreeBytes;
  const missing = disk === null ? 0 : wanted - disk.freeBytes;
  return Math.max(0, usedBytes - quotaBytes, missing);
}

export interface KeptPiece {
  readonly bytes: number;
  /** When its last line was written. */
  readonly endedMs: number;
}

/** What one writer after the other wrote, the oldest first: their times need not be in order. */
export type Run<Piece extends KeptPiece> = readonly Piece[];

/** The oldest, until they make up `bytes`; all where they do not. Of each run from its beginning. */
export function oldestFirst<Piece extends KeptPiece>(runs: readonly Run<Piece>[], bytes: number): Piece[] {
  const chosen: Piece[] = [];
  let freed = 0;
  for (const { piece } of runs.flatMap(inOrder).toSorted((a, b) => a.endedMs - b.endedMs)) {
    if (freed >= bytes) break;
    chosen.push(piece);
    freed += piece.bytes;
  }
  return chosen;
}

/** Those beyond the newest `keep` of a run, and those that ended before `oldestMs`. */
export const beyondLimits = <Piece extends KeptPiece>(pieces: Run<Piece>, keep: number, oldestMs: number): Piece[] =>
  inOrder(pieces).flatMap(({ piece, endedMs }, place) =>
    place < pieces.length - keep || endedMs < oldestMs ? [piece] : [],
  );

/** With times that do not go back: after the clock did, what is newer would look like the oldest. */
function inOrder<Piece extends KeptPiece>(pieces: Run<Piece>): { readonly piece: Piece; readonly endedMs: number }[] {
  let endedMs = -Infinity;
  return pieces.map((piece) => {
    endedMs = Math.max(endedMs, piece.endedMs);
    return { piece, endedMs };
  });
}
