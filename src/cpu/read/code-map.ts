/** Which code lies at an address: ranges by page, the newest first, because V8 uses memory again. */
const PAGE_BYTES = 4096;
/** No function of V8 is larger; a hostile size must not fill memory with pages. */
const MAX_CODE_BYTES = 64 * 1024 * 1024;

interface Range<Code> {
  readonly start: number;
  readonly end: number;
  readonly code: Code;
}

export class CodeMap<Code> {
  readonly #pages = new Map<number, Range<Code>[]>();

  /** `end` is the first address behind it. Sizes beyond 64 MiB are ignored. */
  add(start: number, end: number, code: Code): void {
    if (end - start > MAX_CODE_BYTES) return;
    const range = { start, end, code };
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page += 1) {
      const ranges = this.#pages.get(page);
      if (ranges === undefined) this.#pages.set(page, [range]);
      else {
        // What it lies over is gone.
        const left = ranges.filter((other) => other.end <= start || other.start >= end);
        left.push(range);
        this.#pages.set(page, left);
      }
    }
  }

  find(address: number): Code | undefined {
    const ranges = this.#pages.get(Math.floor(address / PAGE_BYTES));
    return ranges?.findLast(({ start, end }) => start <= address && address < end)?.code;
  }

  /** The code that begins at `from` lies at `to` now. */
  move(from: number, to: number): void {
    const range = this.#pages.get(Math.floor(from / PAGE_BYTES))?.findLast(({ start }) => start === from);
    if (range !== undefined) this.add(to, to + range.end - range.start, range.code);
  }
}
