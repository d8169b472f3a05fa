/**
 * The blocks that log files are read into. A question about an app's logs opens dozens of files, each for a moment: blocks of
 * their own were 6 MB that only a collection of all garbage took back, minutes later.
 */
export const CHUNK_BYTES = 64 * 1024;

/** More than that are read at once by nobody; what is given back beyond is left to the garbage collector. */
const MOST_KEPT = 8;

const free: Buffer[] = [];

export interface Chunk {
  /** Runs `work` with the block, which is valid until it has ended. One at a time. */
  use<T>(work: (block: Buffer) => Promise<T>): Promise<T>;
  /** What `use` has given must not be looked at any more; one that is under way ends first. */
  close(): void;
}

/** Takes a block when it is first used. */
export const openChunk = (): Chunk => {
  let block: Buffer | null = null;
  let isClosed = false;
  let isUsed = false;
  const giveBack = (): void => {
    if (block !== null && free.length < MOST_KEPT) free.push(block);
    block = null;
  };
  return {
    async use(work) {
      block ??= free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
      isUsed = true;
      try {
        return await work(block);
      } finally {
        isUsed = false;
        // The system writes into it until then, whoever has lost interest.
        if (isClosed) giveBack();
      }
    },
    close() {
      isClosed = true;
      if (!isUsed) giveBack();
    },
  };
};
