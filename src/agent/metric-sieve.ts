/**
 * Keeps of an app's metrics what a daemon takes, and counts the rest. What comes here was made by code that is not ours, some of
 * it from what clients sent: values that are no numbers, labels whose words throw when they are read, texts of megabytes. A
 * daemon drops a message that is too long as a whole, so the bytes are counted as they will be on the wire.
 */
import type { AppMetric } from '../protocol/agent.ts';

/** As many as a daemon takes of one worker (`supervisor/agent-schema.ts`). */
const MAX_SERIES = 10_000;
const MAX_WORD_LENGTH = 1000;
/** What has more is no metric but a data set; the daemon shows none of it (`metrics/exposition/names.ts`). */
const MAX_LABELS = 64;
const TYPES: ReadonlySet<unknown> = new Set(['counter', 'gauge', 'histogram', 'summary']);

type Value = AppMetric['values'][number];

export class Sieve {
  readonly metrics: AppMetric[] = [];
  dropped = 0;
  #series = 0;
  #bytesLeft: number;

  constructor(mostBytes: number) {
    this.#bytesLeft = mostBytes;
  }

  /**
   * What is kept of each list; it is among {@link metrics} as well. The smallest metrics first: one that has exploded takes the
   * room that the others leave.
   */
  take(lists: readonly (readonly unknown[])[]): AppMetric[][] {
    const kept = lists.map((): AppMetric[] => []);
    const all = lists.flatMap((list, index) => list.map((one) => ({ one, index, size: sizeOf(one) })));
    for (const { one, index } of all.sort((a, b) => a.size - b.size)) {
      let metric: AppMetric | null = null;
      try {
        metric = this.metrics.length < MAX_SERIES && this.#bytesLeft > 0 ? this.#siftMetric(one) : null;
      } catch {
        // A property of it throws.
      }
      if (metric === null) this.dropped += 1;
      else {
        kept[index]?.push(metric);
        this.metrics.push(metric);
      }
    }
    return kept;
  }

  #siftMetric(one: unknown): AppMetric | null {
    const { name, help, type, aggregator, values } = (one ?? {}) as Partial<Record<keyof AppMetric, unknown>>;
    if (typeof name !== 'string' || !TYPES.has(type) || !Array.isArray(values)) return null;
    const head = {
      name: name.slice(0, MAX_WORD_LENGTH),
      help: wordOf(help ?? ''),
      type: type as AppMetric['type'],
      aggregator: typeof aggregator === 'string' ? aggregator.slice(0, MAX_WORD_LENGTH) : 'sum',
    };
    const headBytes = bytesOf(head.name) + bytesOf(head.help) + bytesOf(head.aggregator) + 80;
    if (headBytes > this.#bytesLeft) return null;
    this.#bytesLeft -= headBytes;
    return { ...head, values: this.#siftValues(values) };
  }

  #siftValues(all: readonly unknown[]): Value[] {
    const values: Value[] = [];
    for (let index = 0; index < all.length; index++) {
      if (this.#series >= MAX_SERIES || this.#bytesLeft <= 0) {
        this.dropped += all.length - index;
        break;
      }
      const value = siftValue(all[index]);
      const bytes = value === null ? 0 : valueBytes(value);
      if (value === null || bytes > this.#bytesLeft) {
        this.dropped += 1;
        continue;
      }
      this.#series += 1;
      this.#bytesLeft -= bytes;
      values.push(value);
    }
    return values;
  }
}

function sizeOf(metric: unknown): number {
  try {
    const { values } = metric as { readonly values?: unknown };
    return Array.isArray(values) ? values.length : 0;
  } catch {
    return 0;
  }
}

function siftValue(raw: unknown): Value | null {
  try {
    const { value, labels, metricName } = (raw ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof value !== 'number') return null;
    // Without a prototype: `__proto__` is a name as any other, and refused where names are.
    const own = Object.create(null) as Record<string, string | number>;
    let count = 0;
    for (const name in typeof labels === 'object' ? labels : null) {
      count += 1;
      if (name.length > MAX_WORD_LENGTH || count > MAX_LABELS) return null;
      const label = (labels as Readonly<Record<string, unknown>>)[name];
      own[name] = typeof label === 'number' && Number.isFinite(label) ? label : wordOf(label);
    }
    if (typeof metricName !== 'string') return { value, labels: own };
    return { value, labels: own, metricName: metricName.slice(0, MAX_WORD_LENGTH) };
  } catch {
    return null;
  }
}

const wordOf = (value: unknown): string => String(value).slice(0, MAX_WORD_LENGTH);

/** `{"value":…,"labels":{…},"metricName":…},` */
function valueBytes({ value, labels, metricName }: Value): number {
  let bytes = 24 + String(value).length + (metricName === undefined ? 0 : 14 + bytesOf(metricName));
  for (const name in labels) {
    const label = labels[name];
    bytes += bytesOf(name) + 2 + (typeof label === 'string' ? bytesOf(label) : String(label).length);
  }
  return bytes;
}

/** ASCII that JSON writes as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Of a text in JSON, in UTF-8. */
const bytesOf = (text: string): number =>
  PLAIN.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(text));
