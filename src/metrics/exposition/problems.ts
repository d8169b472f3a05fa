/** What could not be shown as it was given, by app: counted in full, named up to a bound. */
import { cleanText } from './names.ts';

export const PROBLEM_KINDS = [
  /** Not a name that Prometheus takes. */
  'bad-name',
  'bad-label',
  /** A counter below zero or not a number, a histogram that falls. */
  'bad-value',
  /** The name is one of Drover's own, or of another metric: `x_count` beside a histogram `x`. */
  'clash',
  /** Another worker, or another app on the same page, has it as another type. */
  'type-conflict',
  /** Workers have it with different buckets: it is shown for each worker. */
  'different-buckets',
  /** Beyond the limit of the app. */
  'too-many',
  /** Left out by the agent, before it came here. */
  'agent-limit',
  /** The app's code that should have told it threw, or did not answer. */
  'not-told',
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  readonly app: string;
  /** Name of the metric as far as it can be printed; null where it has none. */
  readonly metric: string | null;
  readonly kind: ProblemKind;
  /** Series. */
  readonly count: number;
}

const MOST_NAMED = 100;
const LONGEST_NAMED = 200;

export class Problems {
  readonly #app: string;
  readonly #named = new Map<string, { metric: string | null; kind: ProblemKind; count: number }>();
  readonly #counts = new Map<ProblemKind, number>();

  constructor(app: string) {
    this.#app = app;
  }

  add(kind: ProblemKind, metric: unknown, count = 1): void {
    if (count === 0) return;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
    this.#name(kind, typeof metric === 'string' ? cleanText(metric, LONGEST_NAMED) : null, count);
  }

  join(other: Problems): void {
    for (const [kind, count] of other.#counts) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
    for (const { kind, metric, count } of other.#named.values()) this.#name(kind, metric, count);
  }

  #name(kind: ProblemKind, metric: string | null, count: number): void {
    const key = `${kind} ${metric}`;
    const known = this.#named.get(key);
    if (known !== undefined) known.count += count;
    else if (this.#named.size < MOST_NAMED) this.#named.set(key, { metric, kind, count });
  }

  get counts(): ReadonlyMap<ProblemKind, number> {
    return this.#counts;
  }

  list(): Problem[] {
    return [...this.#named.values()].map((problem) => ({ app: this.#app, ...problem }));
  }
}
