/** A sparse histogram in few bytes: for each bucket how far it is from the one before, and its count, as LEB128. */

export function encodeSparse(counts: ReadonlyMap<number, number>): Uint8Array | null {
  if (counts.size === 0) return null;
  const bytes: number[] = [];
  let before = 0;
  for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
    pushNumber(bytes, bucket - before);
    pushNumber(bytes, count);
    before = bucket;
  }
  return Uint8Array.from(bytes);
}

/** Calls `each` with bucket and count, buckets rising. What is cut short ends there. */
export function decodeSparse(bytes: Uint8Array, each: (bucket: number, count: number) => void): void {
  let at = 0;
  let bucket = 0;
  const next = (): number | null => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const step = next();
    const count = next();
    if (step === null || count === null) return;
    bucket += step;
    each(bucket, count);
  }
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
