const LIMIT = 256;
const table = new Map<string, string>();

function intern(text: string): string {
  const known = table.get(text);
  if (known !== undefined) return known;
  if (table.size < LIMIT) table.set(text, text);
  return text;
}

interface Measurement {
  tag: string;
  value: number;
}

const latest: Measurement[] = Array.from({ length: 64 }, () => ({ tag: '', value: 0 }));

export async function record(number: number): Promise<number> {
  const slot = latest[number % latest.length];
  if (slot === undefined) return 0;
  slot.tag = intern(`sensor-${number * 7}.temperature`);
  slot.value = 20 + (number % 15) / 10;
  return latest.reduce((sum, { value }) => sum + value, 0);
}
