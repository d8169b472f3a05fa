/** What is compared in logs: ways to run one program that prints, several times, with its output kept and rotated. */
import { statSync } from 'node:fs';

export interface PrinterWish {
  readonly script: string;
  readonly workers: number;
  /** What the program is told by its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Of a file, from where on it is rotated. */
  readonly maxMegabytes: number;
}

/** Programs that print; disposing of it stops everything that was started for them. */
export interface RunningPrinters extends AsyncDisposable {
  /** The daemon: with what it costs grows what it has to copy. */
  readonly manager: number;
  /** CPU time so far of whoever rotates and compresses, where that is not the manager. */
  readonly readRotatorCpuMs: () => number;
  /** How often a file was rotated so far. */
  readonly countRotations: () => number;
  /** Resolves when everything that was printed is where it stays. */
  readonly untilWritten: () => Promise<void>;
  /** What the largest file takes of the disk: rotation is there to keep it small. */
  readonly readLargestBytes: () => number;
  /** Every line of standard output that is left, of all workers, oldest first for each. */
  readonly readLines: () => AsyncIterable<string>;
}

export interface LogContender {
  readonly name: string;
  readonly start: (wish: PrinterWish) => Promise<RunningPrinters>;
}

/** What a file takes of the disk; what was punched out of it does not. */
export const readDiskBytes = (file: string): number => (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
