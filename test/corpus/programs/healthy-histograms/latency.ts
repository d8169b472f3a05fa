const BUCKETS = 60;
const CELLS = 128;
const CALLS_PER_BUCKET = 8;

class RollingHistogram {
  readonly #buckets: (Float64Array | undefined)[] = [];

  observe(bucket: number, value: number): void {
    const slot = bucket % BUCKETS;
    const counts = (this.#buckets[slot] ??= new Float64Array(CELLS));
    if (bucket >= BUCKETS && counts[0] !== bucket) counts.fill(0);
    counts[0] = bucket;
    const cell = Math.min(CELLS - 1, 1 + Math.floor(Math.log2(value + 1) * 8));
    counts[cell] = (counts[cell] ?? 0) + 1;
  }

  total(): number {
    let total = 0;
    for (const counts of this.#buckets) for (let cell = 1; cell < CELLS; cell++) total += counts?.[cell] ?? 0;
    return total;
  }
}

const latency = new RollingHistogram();

export async function observe(number: number): Promise<number> {
  latency.observe(Math.floor(number / CALLS_PER_BUCKET), (number * 37) % 900);
  return number % 100 === 0 ? latency.total() : 0;
}
