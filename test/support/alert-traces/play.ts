/**
 * A trace as the daemon sees it: counters that are looked at every few seconds, judged, and told to one receiver; and beside it
 * what a single threshold would have said of the same looks.
 */
import {
  countsBetween,
  type Counters,
  judgeObjective,
  judgeObjectiveAlerts,
  newAlertBook,
  newObjective,
  observeCounts,
  planObjective,
  planReceiver,
  resumeAlertBook,
  resumeObjective,
  stepAlertBook,
  type AlertBook,
  type AlertBookEvent,
  type ObjectiveState,
} from '../../../src/core/index.ts';
import { seeded } from '../random.ts';
import type { Trace } from './generate.ts';

export interface Told {
  readonly at: number;
  readonly level: 'page' | 'ticket';
}

export interface Played {
  /** Beginnings that the receiver was told. */
  readonly told: readonly Told[];
  /** What it still believes to fire at the end. */
  readonly leftFiring: number;
  /** When a single threshold began to fire. */
  readonly naive: readonly number[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const WARM_UP_MS = 3.5 * 24 * 60 * MINUTE;
const WARM_UP_STEP_MS = 5 * MINUTE;
const RECEIVER = planReceiver('hook', {
  target: { kind: 'webhook', url: 'http://127.0.0.1/' },
  headers: {},
  severities: ['page', 'ticket'],
  apps: null,
  groupWaitMs: 10 * SECOND,
  repeatMs: 4 * 60 * MINUTE,
});

export const playTrace = (trace: Trace): Played => {
  const { startsAt, until, stepMs } = trace;
  const plan = planObjective(trace.objective);
  const sample = sampler(trace);
  const receiver = new Receiver();
  const naive = new SingleThreshold();
  let state = warmUp(trace, newObjective(plan), sample);
  let counters: Counters = { good: 0, total: 0 };
  let known: Counters | null = counters;
  let [seenAt, broken] = [startsAt, null as Trace['breaks'][number] | null];
  for (let at = startsAt + stepMs; at <= until; at += stepMs) {
    if (trace.resets.some((reset) => reset > at - stepMs && reset <= at)) counters = { good: 0, total: 0 };
    const counted = sample(at - stepMs, at);
    counters = { good: counters.good + counted.good, total: counters.total + counted.total };
    const present = trace.breaks.find(({ from, to }) => at > from && at <= to);
    if (present !== undefined) {
      broken = present;
      continue;
    }
    if (broken !== null) {
      ({ state, known } = takeUp(broken.kind, plan, state, known));
      receiver.resume(at);
      broken = null;
    }
    const counts = countsBetween(known, counters);
    if (counts !== null) {
      state = observeCounts(state, { at, forMs: at - seenAt, ...counts });
      naive.see(at, counts);
    }
    [known, seenAt] = [counters, at];
    const judgements = judgeObjectiveAlerts('api', plan, judgeObjective(plan, state, at));
    receiver.step({ type: 'judged', at, judgements });
  }
  return { told: receiver.told, leftFiring: receiver.firing.size, naive: naive.begun };
};

const takeUp = (
  kind: Trace['breaks'][number]['kind'],
  plan: ReturnType<typeof planObjective>,
  state: ObjectiveState,
  known: Counters | null,
): { state: ObjectiveState; known: Counters | null } => {
  if (kind === 'gap') return { state, known: null };
  if (kind === 'forgetful') return { state: newObjective(plan), known: null };
  return { state: resumeObjective(plan, JSON.parse(JSON.stringify(state)) as ObjectiveState), known };
};

type Sample = (from: number, to: number) => Counters;

const warmUp = ({ startsAt }: Trace, state: ObjectiveState, sample: Sample): ObjectiveState => {
  let warm = state;
  for (let at = startsAt - WARM_UP_MS + WARM_UP_STEP_MS; at <= startsAt; at += WARM_UP_STEP_MS)
    warm = observeCounts(warm, { at, forMs: WARM_UP_STEP_MS, ...sample(at - WARM_UP_STEP_MS, at) });
  return warm;
};

/** Events come by chance, and so do errors among them. */
const sampler = ({ seed, perSecond, baseShare, phases }: Trace): Sample => {
  const random = seeded(seed ^ 0x5eed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  /** Poisson's: by Knuth's method for a small mean, else as good as normal. */
  const poisson = (mean: number): number => {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let [count, product] = [-1, 1];
    for (const least = Math.exp(-mean); product > least; count++) product *= random();
    return count;
  };
  return (from, to) => {
    let [knownMs, bad, good] = [0, 0, 0];
    const add = (ms: number, badShare: number): void => {
      bad += poisson((perSecond * ms * badShare) / 1000);
      good += poisson((perSecond * ms * (1 - badShare)) / 1000);
    };
    for (const phase of phases) {
      const ms = Math.min(to, phase.to) - Math.max(from, phase.from);
      if (ms <= 0) continue;
      knownMs += ms;
      add(ms, phase.badShare);
    }
    if (to - from > knownMs) add(to - from - knownMs, baseShare);
    return { good, total: good + bad };
  };
};

/** The receiver of the alerts, and the timer that they arm. */
class Receiver {
  readonly told: Told[] = [];
  readonly firing = new Set<string>();
  #book: AlertBook = newAlertBook();
  #armedAt: number | null = null;

  step(event: AlertBookEvent): void {
    while (this.#armedAt !== null && this.#armedAt < event.at) this.#step({ type: 'tick', at: this.#armedAt });
    this.#step(event);
  }

  resume(at: number): void {
    this.#book = resumeAlertBook(JSON.parse(JSON.stringify(this.#book)) as AlertBook, at);
    this.#armedAt = null;
    this.#step({ type: 'tick', at });
  }

  #step(event: AlertBookEvent): void {
    const { state, effects } = stepAlertBook(this.#book, event, { receivers: [RECEIVER], silences: [] });
    this.#book = state;
    for (const effect of effects) {
      if (effect.type === 'arm') this.#armedAt = effect.at;
      if (effect.type !== 'notify') continue;
      for (const { fingerprint, status, severity } of effect.notification.alerts) {
        if (status === 'resolved') this.firing.delete(fingerprint);
        else if (!this.firing.has(fingerprint)) {
          this.firing.add(fingerprint);
          this.told.push({ at: event.at, level: severity === 'page' ? 'page' : 'ticket' });
        }
      }
    }
  }
}

/** More than 1 % of the events of a minute are bad, for 5 minutes. */
class SingleThreshold {
  readonly begun: number[] = [];
  #looks: { readonly at: number; readonly counts: Counters }[] = [];
  #since: number | null = null;
  #isFiring = false;

  see(at: number, counts: Counters): void {
    this.#looks = [...this.#looks.filter((look) => look.at > at - MINUTE), { at, counts }];
    const sum = (valueOf: (counts: Counters) => number): number =>
      this.#looks.reduce((total, look) => total + valueOf(look.counts), 0);
    const total = sum((one) => one.total);
    const isBad = total > 0 && sum((one) => one.total - one.good) / total > 0.01;
    if (!isBad) {
      this.#since = null;
      this.#isFiring = false;
      return;
    }
    this.#since ??= at;
    if (this.#isFiring || at - this.#since < 5 * MINUTE) return;
    this.#isFiring = true;
    this.begun.push(at);
  }
}
