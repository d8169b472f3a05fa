/**
 * What users asked for and were told: an app that is to be stopped, up, or gone, and how large it is. The state on disk
 * must never fall behind it, whatever dies; only a fall-back to a backup may (`docs/internals/state.md`).
 */
import type { Disk } from './disk.ts';
import { must } from './invariants.ts';

interface Wish {
  readonly wanted: 'up' | 'stopped' | 'gone';
  /** Null: a change of it was under way when the daemon died, or ended where the disk took nothing. */
  readonly instances: number | null;
  /** One that was stopped by itself, and nothing was asked for since. */
  readonly stoppedSlot?: number | null;
}

interface Asked {
  readonly app: string;
  readonly daemon: object;
}

export class Wishes {
  readonly #disk: Disk;
  readonly #wishes = new Map<string, Wish>();
  /** What was asked of a daemon, and is neither accepted nor refused. */
  #open: readonly Asked[] = [];

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** It was accepted. */
  want(app: string, wanted: Wish['wanted']): void {
    this.#wishes.set(app, { instances: null, ...this.#wishes.get(app), wanted, stoppedSlot: null });
  }

  /** One slot was accepted to be stopped; with the last one the app is. */
  stopOne(app: string, wanted: Wish['wanted'], slot: number): void {
    this.#wishes.set(app, { instances: null, wanted, stoppedSlot: wanted === 'up' ? slot : null });
  }

  /** Something is asked for that may start what was stopped by itself. */
  startAll(app: string): void {
    const wish = this.#wishes.get(app);
    if (wish !== undefined) this.#wishes.set(app, { ...wish, stoppedSlot: null });
  }

  /** A change of the size was reported as completed, and is on the disk. */
  resize(app: string, instances: number | null): void {
    const wish = this.#wishes.get(app);
    if (wish !== undefined) this.#wishes.set(app, { ...wish, instances });
  }

  /**
   * Something is asked for that is carried out once what is under way has ended: until then whatever is on the disk counts.
   * What is returned ends that, and says whether nothing else of the app waits, which may be carried out at once behind it.
   */
  ask(app: string, daemon: object): () => boolean {
    const asked: Asked = { app, daemon };
    this.#open = [...this.#open, asked];
    this.forget(app);
    return () => {
      this.#open = this.#open.filter((each) => each !== asked);
      return !this.#open.some((each) => each.app === app && each.daemon === daemon);
    };
  }

  /** Nobody knows what became of it: whatever is on the disk counts. */
  forget(app: string): void {
    this.#wishes.delete(app);
  }

  forgetAll(): void {
    this.#wishes.clear();
  }

  check(): void {
    const rows = new Map(this.#disk.apps().map((row) => [row.name, row]));
    for (const [app, { wanted, instances, stoppedSlot = null }] of this.#wishes) {
      const row = rows.get(app);
      const seen = (): string =>
        `${app} is ${row?.wanted ?? 'gone'} with ${row?.instances ?? 0}, told ${wanted} with ${instances}`;
      // Until its last worker is gone, an app that is to be deleted is a stopped one.
      const isRight = wanted === 'gone' ? row?.wanted !== 'up' : row?.wanted === wanted;
      must(isRight, 'what a user was told is never forgotten', seen);
      must(
        row === undefined || instances === null || row.instances === instances,
        'a size that was reached stays',
        seen,
      );
      const isForgotten = stoppedSlot !== null && row?.stoppedSlots.includes(stoppedSlot) === false;
      must(!isForgotten, 'one that was stopped by itself stays stopped', () => `${app}/${stoppedSlot}`);
    }
  }
}
