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
  let sum = checksum(view, 0, FRAME_HEADER_BYTES, [0, 0], isLittle);
  const isHeaderWhole =
    (view.getUint32(0) & ~1) >>> 0 === MAGIC && sum[0] === view.getUint32(24) && sum[1] === view.getUint32(28);
  const isPageSize = pageBytes >= 512 && pageBytes <= 65536 && (pageBytes & (pageBytes - 1)) === 0;
  const frameBytes = FRAME_HEADER_BYTES + (isPageSize ? pageBytes : DEFAULT_PAGE_BYTES);
  let isWhole = isHeaderWhole;
  let lost = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    const isOfThisRun = view.getUint32(at + 8) === view.getUint32(16) && view.getUint32(at + 12) === view.getUint32(20);
    if (isWhole) {
      sum = checksum(view, at, 8, sum, isLittle);
      sum = checksum(view, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES, sum, isLittle);
      // Frames of an earlier run follow the last one of this run: that is its ordinary end.
      isWhole = isOfThisRun && sum[0] === view.getUint32(at + 16) && sum[1] === view.getUint32(at + 20);
    }
    const isCommit = view.getUint32(at + 4) !== 0;
    if (!isWhole && isCommit && (isOfThisRun || !isHeaderWhole)) lost += 1;
  }
  return lost;
}

type Sum = readonly [number, number];

function checksum(view: DataView, from: number, length: number, [a, b]: Sum, isLittle: boolean): Sum {
  let [one, two] = [a, b];
  for (let at = from; at < from + length; at += 8) {
    one = (one + view.getUint32(at, isLittle) + two) >>> 0;
    two = (two + view.getUint32(at + 4, isLittle) + one) >>> 0;
  }
  return [one, two];
}
