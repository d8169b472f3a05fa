/**
 * When a backup is taken: a moment after a change that matters, so that what follows it is in it as well, and not again
 * for a while. Nothing is scheduled while nothing changes.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../protocol/index.ts';
import { systemMessageOf } from '../disk-trouble.ts';
import type { BackupFolder } from './backup-folder.ts';

export interface BackupTimes {
  /** From a change to its backup. */
  readonly settleMs: number;
  /** From one backup to the next. */
  readonly everyMs: number;
}

export const DEFAULT_BACKUP_TIMES: BackupTimes = { settleMs: 2_000, everyMs: 60_000 };

export interface BackupStatus {
  readonly lastAtMs: number | null;
  /** Why the last try failed; null when it did not. */
  readonly failure: string | null;
}

export class BackupSchedule {
  readonly #folder: BackupFolder;
  readonly #clock: Clock;
  readonly #times: BackupTimes;
  /** Null while the state is not wholly on the disk. */
  readonly #source: () => DatabaseSync | null;
  #timer: NodeJS.Timeout | null = null;
  #lastAt: number | null = null;
  #lastAtMs: number | null = null;
  #failure: string | null = null;
  #isDue = false;
  #isClosed = false;
  #running: Promise<void> | null = null;

  constructor(
    folder: BackupFolder,
    { clock, times, source }: { clock: Clock; times: BackupTimes; source: () => DatabaseSync | null },
  ) {
    this.#folder = folder;
    this.#clock = clock;
    this.#times = times;
    this.#source = source;
    this.#lastAtMs = folder.list().reduce<number | null>((last, { atMs }) => Math.max(last ?? 0, atMs), null);
  }

  get status(): BackupStatus {
    return { lastAtMs: this.#lastAtMs, failure: this.#failure };
  }

  /** Something changed that a backup should have. */
  note(): void {
    this.#isDue = true;
    if (this.#timer !== null || this.#running !== null || this.#isClosed) return;
    const { settleMs, everyMs } = this.#times;
    const earliest = this.#lastAt === null ? 0 : this.#lastAt + everyMs - this.#clock.monotonicMs();
    this.#timer = setTimeout(() => this.#begin(), Math.max(settleMs, earliest)).unref();
  }

  /** Takes one that is due at once, and waits for none: the state itself was closed in order. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const source = this.#source();
    if (!this.#isDue || this.#running !== null || source === null) return;
    this.#isDue = false;
    try {
      this.#done(this.#folder.writeAtOnce(source, this.#clock.wallMs()).atMs);
    } catch (error) {
      this.#failure = systemMessageOf(error);
    }
  }

  #begin(): void {
    this.#timer = null;
    this.#running = this.#take().finally(() => {
      this.#running = null;
      // Changed meanwhile, or failed: again, when it is time.
      if (this.#isDue) this.note();
    });
  }

  async #take(): Promise<void> {
    this.#lastAt = this.#clock.monotonicMs();
    const source = this.#source();
    if (source === null) return;
    this.#isDue = false;
    try {
      this.#done((await this.#folder.write(source, this.#clock.wallMs())).atMs);
    } catch (error) {
      // A disk without room for a second copy: the state itself may well be written still.
      this.#isDue = true;
      this.#failure = systemMessageOf(error);
    }
  }

  #done(atMs: number): void {
    this.#lastAtMs = atMs;
    this.#failure = null;
  }
}
