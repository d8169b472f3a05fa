/** The books of numbered lines: which are there, which twice, and which are no whole line any more. */

/** As `prints.mjs` prints them: worker, number, filler. */
const LINE = /^(\d{1,3}) (\d{12}) x{80}$/;

export interface LineCounts {
  readonly printed: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
  /** Lines that are not as anybody printed them: cut, or run into one another. */
  readonly broken: number;
}

export class LineAccount {
  readonly #seen: Uint8Array[];
  readonly #printed: readonly number[];
  #doubled = 0;
  #broken = 0;

  /** `printed`: by worker; numbers count from 0. */
  constructor(printed: readonly number[]) {
    this.#printed = printed;
    this.#seen = printed.map((count) => new Uint8Array(count));
  }

  note(line: string): void {
    const [, worker, number] = LINE.exec(line) ?? [];
    const seen = this.#seen[Number(worker)];
    const at = Number(number);
    if (seen === undefined || !(at < seen.length)) this.#broken += 1;
    else if (seen[at] === 1) this.#doubled += 1;
    else seen[at] = 1;
  }

  counts(): LineCounts {
    const printed = this.#printed.reduce((sum, count) => sum + count, 0);
    const found = this.#seen.reduce((sum, seen) => sum + seen.reduce((some, one) => some + one, 0), 0);
    return { printed, found, lost: printed - found, doubled: this.#doubled, broken: this.#broken };
  }
}
