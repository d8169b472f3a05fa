const HEADER = 12;

export interface Reading {
  readonly key: Buffer;
  readonly sensor: number;
  readonly values: readonly number[];
}

/** A frame is a key of 12 bytes and its measured values. */
export function decode(frame: Buffer): Reading {
  const values: number[] = [];
  for (let at = HEADER; at + 4 <= frame.length && values.length < 8; at += 4) values.push(frame.readFloatLE(at));
  return { key: frame.subarray(0, HEADER), sensor: frame.readUInt16BE(0), values };
}
