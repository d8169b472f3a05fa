/** Incidents as they happen to services, and days on which nothing does: made from a seed, so that each can be made again. */
import type { ObjectiveConfig } from '../../../src/protocol/index.ts';
import { seeded } from '../random.ts';

export const CLASSES = [
  'full outage',
  'partial errors',
  'slow burn',
  'latency shift',
  'short blips',
  'low traffic',
  'gaps in data',
  'daemon restarts',
  'nothing wrong',
] as const;
export type TraceClass = (typeof CLASSES)[number];

export interface Trace {
  readonly kind: TraceClass;
  readonly seed: number;
  readonly objective: ObjectiveConfig;
  /** Before it, three and a half days of health are known. */
  readonly startsAt: number;
  readonly until: number;
  /** Between two looks at the counters. */
  readonly stepMs: number;
  readonly perSecond: number;
  /** The share of bad events while nothing is wrong. */
  readonly baseShare: number;
  /** In order, and apart. */
  readonly phases: readonly { readonly from: number; readonly to: number; readonly badShare: number }[];
  /**
   * `gap`: nobody counts. `daemon`: nobody looks, the workers count on, and the state is kept. `forgetful`: the same, and what
   * the daemon knew of the objective is gone.
   */
  readonly breaks: readonly {
    readonly from: number;
    readonly to: number;
    readonly kind: 'gap' | 'daemon' | 'forgetful';
  }[];
  /** When the counters begin again at 0. */
  readonly resets: readonly number[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);

type Random = () => number;
const between = (random: Random, from: number, to: number): number => from + random() * (to - from);
/** Evenly in orders of magnitude. */
const around = (random: Random, from: number, to: number): number => from * (to / from) ** random();
const isLikely = (random: Random, share: number): boolean => random() < share;

type Draft = Partial<Omit<Trace, 'kind' | 'seed'>> & Pick<Trace, 'phases' | 'until'>;

/** One phase of errors, and an hour and a half after it to see it end. */
const incident = (lengthMs: number, badShare: number): Draft => {
  const from = START + 20 * MINUTE;
  return { phases: [{ from, to: from + lengthMs, badShare }], until: from + lengthMs + 90 * MINUTE };
};

const BUDGET = 0.001;

/** The bad share of a lognormal latency whose median is `median` of the threshold, with a spread as services have. */
const slowShare = (median: number): number => {
  // 1 - Φ(x) by Abramowitz and Stegun 26.2.17, good to 1e-7.
  const x = -Math.log(median) / 0.5;
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? tail : 1 - tail;
};

const DRAFTS: Readonly<Record<TraceClass, (random: Random) => Draft>> = {
  'full outage': (random) => incident(around(random, 2 * MINUTE, HOUR), between(random, 0.95, 1)),
  'partial errors': (random) => incident(around(random, 5 * MINUTE, 3 * HOUR), around(random, 0.004, 0.5)),
  'slow burn': (random) => ({
    ...incident(between(random, DAY, 4 * DAY), BUDGET * around(random, 0.3, 5)),
    stepMs: MINUTE,
  }),
  'latency shift': (random) => {
    const base = slowShare(0.3);
    return {
      ...incident(around(random, 10 * MINUTE, 4 * HOUR), slowShare(around(random, 0.4, 1.5))),
      baseShare: base,
      objective: objective({ name: 'latency', target: 0.99, indicator: { kind: 'latency', thresholdMs: 250 } }),
    };
  },
  'short blips': (random) => {
    const phases: Trace['phases'][number][] = [];
    let from = START + 20 * MINUTE;
    const count = 1 + Math.floor(random() * 4);
    const longest = 38 / count;
    for (let blip = 0; blip < count; blip++) {
      const to = from + Math.max(2, between(random, longest / 3, longest)) * SECOND;
      phases.push({ from, to, badShare: between(random, 0.2, 1) });
      from = to + around(random, MINUTE, 40 * MINUTE);
    }
    return { phases, until: from + HOUR };
  },
  'low traffic': (random) => {
    const perSecond = between(random, 1, 6) / 60;
    if (isLikely(random, 0.5))
      return { phases: [], until: START + 2 * DAY, perSecond, baseShare: BUDGET * 0.5, stepMs: 30 * SECOND };
    return { ...incident(between(random, 30 * MINUTE, 3 * HOUR), around(random, 0.1, 1)), perSecond };
  },
  'gaps in data': (random) => {
    const draft = incident(around(random, 20 * MINUTE, 2 * HOUR), around(random, 0.004, 1));
    const { from, to } = draft.phases[0]!;
    const breaks = [from - 4 * MINUTE, from + 8 * MINUTE, to - 3 * MINUTE].map((at) => {
      const begin = at + between(random, -3, 3) * MINUTE;
      return { from: begin, to: begin + between(random, 0.5, 6) * MINUTE, kind: 'gap' as const };
    });
    return { ...draft, breaks };
  },
  'daemon restarts': (random) => {
    const draft = incident(around(random, 5 * MINUTE, 2 * HOUR), around(random, 0.004, 1));
    const { from, to } = draft.phases[0]!;
    const kind = isLikely(random, 0.3) ? ('forgetful' as const) : ('daemon' as const);
    const begins = [from - 90 * SECOND, from + 90 * SECOND, to + 4 * MINUTE];
    const breaks = begins.map((at) => ({ from: at, to: at + between(random, 2, 60) * SECOND, kind }));
    return {
      ...draft,
      breaks,
      resets: [from - between(random, 2, 10) * MINUTE, from + between(random, 1, 20) * MINUTE],
    };
  },
  'nothing wrong': (random) => ({
    phases: [],
    until: START + 2 * DAY,
    stepMs: 30 * SECOND,
    baseShare: BUDGET * between(random, 0.3, 0.8),
  }),
};

const objective = (change: Partial<ObjectiveConfig> = {}): ObjectiveConfig => ({
  name: 'availability',
  target: 1 - BUDGET,
  windowMs: 30 * DAY,
  indicator: { kind: 'availability' },
  minimumEvents: 100,
  ...change,
});

/** The same for the same seed. */
export const makeTrace = (kind: TraceClass, seed: number): Trace => {
  const random = seeded(seed);
  // The first numbers of neighbouring seeds are alike.
  for (let turn = 0; turn < 10; turn++) random();
  return {
    kind,
    seed,
    objective: objective(),
    startsAt: START,
    stepMs: 10 * SECOND,
    perSecond: around(random, 2, 500),
    baseShare: BUDGET * between(random, 0, 0.4),
    breaks: [],
    resets: [],
    ...DRAFTS[kind](random),
  };
};
