/** What was seen in a soak, as it is recorded and judged. */
import type { Holdings } from './quiet.ts';

/** One process in one round; memory is the median of what was seen under load. */
export interface RoundPoint {
  readonly atHours: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly privateDirtyBytes: number;
  /**
   * What is alive after a collection, array buffers included, in the daemon without its compiled code; null where none was
   * made.
   */
  readonly aliveBytes: number | null;
  /** Compiled code after that collection; null of workers. */
  readonly codeBytes: number | null;
  /** Private and dirty after that collection, and after what was free has gone back to the system. */
  readonly restingBytes: number | null;
}

/** What a process had open at a quiet point, and at those after it until the next of these. */
export interface HoldingsFrom extends Holdings {
  /** From 0. */
  readonly fromRound: number;
}

export interface SoakedProcess {
  readonly name: string;
  readonly points: readonly RoundPoint[];
  /** One entry where nothing ever changed. */
  readonly holdings: readonly HoldingsFrom[];
}

export interface SoakResult {
  readonly minutes: number;
  readonly warmUpRounds: number;
  readonly daemon: SoakedProcess;
  /** Of the app that is left alone. */
  readonly workers: readonly SoakedProcess[];
  /** Of the same workers, after the daemon was killed once more at the very end. */
  readonly workersAfterKill: readonly Holdings[];
  readonly areSameProcesses: boolean;
  readonly answered: number;
  readonly lostWithKilled: number;
  readonly lostUnexplained: readonly string[];
  readonly activities: readonly string[];
}
