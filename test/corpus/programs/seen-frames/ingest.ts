import { decode } from './decoder.ts';

const lastKeys: Buffer[] = [];
let duplicates = 0;

function fromTheWire(number: number): Buffer {
  const frame = Buffer.alloc(16_000 + 12);
  frame.writeUInt16BE(number % 40, 0);
  frame.writeUInt32BE(number, 4);
  return frame;
}

export async function ingest(number: number): Promise<{ sensor: number; duplicates: number }> {
  const { key, sensor, values } = decode(fromTheWire(number));
  if (lastKeys.some((last) => last.equals(key))) duplicates += 1;
  else if (values.length > 0) lastKeys.push(key);
  return { sensor, duplicates };
}
