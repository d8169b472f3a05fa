/**
 * Whether a write-ahead log holds changes that SQLite will not read. It stops at the first frame whose checksum is
 * wrong and says nothing: right after a kill in mid-write, wrong where frames of the same run follow, because then
 * changes that had been committed are gone. Format: https://www.sqlite.org/fileformat2.html#walformat.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
const DEFAULT_PAGE_BYTES = 4096;

/** Commits after the first frame that cannot be read; where the header itself is damaged, all that look like one. */
export function countLostCommits(wal: Uint8Array): number {
  if (wal.length < HEADER_BYTES) return 0;
  const view = new DataView(wal.buffer, wal.byteOffset, wal.byteLength);
  // The lowest bit of the magic number says in which order the checksum takes the bytes.
  const isLittle = (view.getUint32(0) & 1) === 0;
  const pageBytes = view.getUint32(8);
  const words = wordsOf(wal, isLittle);
  let sum = checksum(words, 0, FRAME_HEADER_BYTES, [0, 0]);
  const isHeaderWhole =
    (view.getUint32(0) & ~1) >>> 0 === MAGIC && sum[0] === view.getUint32(24) && sum[1] === view.getUint32(28);
  const isPageSize = pageBytes >= 512 && pageBytes <= 65536 && (pageBytes & (pageBytes - 1)) === 0;
  const frameBytes = FRAME_HEADER_BYTES + (isPageSize ? pageBytes : DEFAULT_PAGE_BYTES);
  let isWhole = isHeaderWhole;
  let lost = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    const isOfThisRun = view.getUint32(at + 8) === view.getUint32(16) && view.getUint32(at + 12) === view.getUint32(20);
    if (isWhole) {
      sum = checksum(words, at, 8, sum);
      sum = checksum(words, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES, sum);
      // Frames of an earlier run follow the last one of this run: that is its ordinary end.
      isWhole = isOfThisRun && sum[0] === view.getUint32(at + 16) && sum[1] === view.getUint32(at + 20);
    }
    const isCommit = view.getUint32(at + 4) !== 0;
    if (!isWhole && isCommit && (isOfThisRun || !isHeaderWhole)) lost += 1;
  }
  return lost;
}

type Sum = readonly [number, number];

const isHostLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The numbers that are summed up, in the order of this machine: a view of each would take ten times as long. */
function wordsOf(wal: Uint8Array, isLittle: boolean): Uint32Array {
  const copy = Buffer.from(new ArrayBuffer(wal.length - (wal.length % 4)));
  copy.set(wal.subarray(0, copy.length));
  if (isLittle !== isHostLittle) copy.swap32();
  return new Uint32Array(copy.buffer);
}

function checksum(words: Uint32Array, fromBytes: number, bytes: number, [a, b]: Sum): Sum {
  let [one, two] = [a, b];
  const end = (fromBytes + bytes) / 4;
  for (let at = fromBytes / 4; at < end; at += 2) {
    one = (one + (words[at] as number) + two) >>> 0;
    two = (two + (words[at + 1] as number) + one) >>> 0;
  }
  return [one, two];
}
