import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { ObjectiveConfig } from '../protocol/index.ts';
import { type CountSpan, countsBetween, type Counters } from './counts.ts';
import {
  judgeObjective,
  newObjective,
  observeCounts,
  type ObjectivePlan,
  type ObjectiveState,
  planObjective,
  resumeObjective,
  type RuleVerdict,
} from './objective.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const objective = (change: Partial<ObjectiveConfig> = {}): ObjectiveConfig => ({
  name: 'availability',
  target: 0.999,
  windowMs: 30 * DAY,
  indicator: { kind: 'availability' },
  minimumEvents: 100,
  ...change,
});

/** Observes `total` events a step, `badShare` of them bad, up to `until`. */
const flow = (
  state: ObjectiveState,
  { from, until, stepMs, perStep, badShare }: Record<'from' | 'until' | 'stepMs' | 'perStep' | 'badShare', number>,
): ObjectiveState => {
  let next = state;
  for (let at = from + stepMs; at <= until; at += stepMs)
    next = observeCounts(next, { at, forMs: stepMs, good: perStep * (1 - badShare), total: perStep });
  return next;
};

const verdicts = (plan: ObjectivePlan, state: ObjectiveState, at: number): string =>
  judgeObjective(plan, state, at)
    .rules.map(({ verdict }) => verdict)
    .join(' ');

/** Time from the beginning of errors until the rule burns, after a healthy past; null: not within `withinMs`. */
const timeUntilBurning = (plan: ObjectivePlan, index: number, badShare: number, withinMs: number): number | null => {
  const { longMs } = plan.rules.at(index)!;
  const stepMs = Math.min(10 * SECOND, longMs / 720);
  const start = 1000 * DAY;
  let state = flow(newObjective(plan), {
    from: start - 1.1 * longMs,
    until: start,
    stepMs: longMs / 240,
    perStep: (1000 * longMs) / 240,
    badShare: 0,
  });
  for (let at = start + stepMs; at <= start + withinMs; at += stepMs) {
    state = flow(state, { from: at - stepMs, until: at, stepMs, perStep: 1000 * stepMs, badShare });
    if (judgeObjective(plan, state, at).rules.at(index)?.verdict === 'burning') return at - start;
  }
  return null;
};

describe('an objective', () => {
  const plan = planObjective(objective());

  it("is told to burn when the workbook's formula says", () => {
    const cases: readonly [rule: number, badShare: number, expectedMs: number][] = [
      // A full outage at 99.9 %: (1 - 0.999) / 1 × 1 h × 14.4.
      [0, 1, 51.84 * SECOND],
      [0, 0.1, 518.4 * SECOND],
      [0, 0.02, 0.72 * HOUR],
      [1, 0.1, 0.36 * HOUR],
      [1, 0.01, 3.6 * HOUR],
      [2, 0.002, 1.5 * DAY],
    ];
    for (const [rule, badShare, expectedMs] of cases) {
      const { longMs } = plan.rules.at(rule)!;
      const found = timeUntilBurning(plan, rule, badShare, longMs) ?? Infinity;
      // A window is up to one bucket, 1/120, shorter than it says, and time goes in steps.
      const stepMs = Math.min(10 * SECOND, longMs / 720);
      assert.ok(found >= expectedMs * (119 / 120) - stepMs && found <= expectedMs + 2 * stepMs, `${rule} ${found}`);
    }
    assert.equal(timeUntilBurning(plan, 0, 0.0143, 2 * HOUR), null);
    assert.equal(timeUntilBurning(plan, 2, 0.00099, 4 * DAY), null);
  });

  it('that burns once, 10 and 1000 times as fast as it may lasts for 30 days, 3 days, and 43 minutes', () => {
    const left = (badShare: number): number | null => {
      const state = flow(newObjective(plan), {
        from: 0,
        until: 6 * MINUTE,
        stepMs: 10 * SECOND,
        perStep: 1e6,
        badShare,
      });
      const { exhaustedInMs, remaining } = judgeObjective(plan, state, 6 * MINUTE).budget;
      // Of a whole budget: the six minutes have spent some.
      return exhaustedInMs === null ? null : exhaustedInMs / remaining;
    };
    assert.equal(left(0.001), null, 'at 1 it is never all spent');
    assert.ok(Math.abs(left(0.002)! - 15 * DAY) < SECOND);
    assert.ok(Math.abs(left(0.01)! - 3 * DAY) < SECOND);
    assert.ok(Math.abs(left(1)! - 43.2 * MINUTE) < SECOND);
  });

  it("of ten requests an hour is not judged by the workbook's single failed one", () => {
    // 1 of 10 burns at 100 (the book says 1,000, but 10 % is 100 times 0.1 %), and is 13.9 % of what may fail in 30 days.
    let state = flow(newObjective(plan), { from: 0, until: DAY, stepMs: HOUR, perStep: 10, badShare: 0 });
    state = flow(state, { from: DAY, until: DAY + HOUR, stepMs: HOUR, perStep: 10, badShare: 0.1 });
    const [fast, slow, ticket] = judgeObjective(plan, state, DAY + HOUR).rules;
    assert.deepEqual([fast?.verdict, slow?.verdict], ['unknown', 'unknown']);
    assert.deepEqual([fast?.long.burn, Math.round(fast?.long.events ?? 0), slow?.long.burn], [null, 10, null]);
    assert.equal(ticket?.verdict, 'unknown', 'one error in 250 events is chance');
    const without = planObjective(objective({ minimumEvents: 1 }));
    const burn = judgeObjective(without, state, DAY + HOUR).rules.at(0)!.long.burn!;
    assert.ok(Math.abs(burn - 100) < 1e-6);
  });

  it('whose errors have ended is calm when the short window is over them', () => {
    const start = 2 * HOUR;
    let state = flow(newObjective(plan), { from: 0, until: start, stepMs: 10 * SECOND, perStep: 100, badShare: 0 });
    state = flow(state, { from: start, until: start + 10 * MINUTE, stepMs: 10 * SECOND, perStep: 100, badShare: 0.5 });
    assert.equal(verdicts(plan, state, start + 10 * MINUTE).split(' ')[0], 'burning');
    const over = start + 15 * MINUTE;
    state = flow(state, { from: start + 10 * MINUTE, until: over, stepMs: 10 * SECOND, perStep: 100, badShare: 0 });
    const [fast] = judgeObjective(plan, state, over).rules;
    assert.equal(fast?.verdict, 'calm');
    assert.ok((fast?.long.burn ?? 0) > 14.4, 'the long window still burns');
  });

  it('with a gap in what is known neither burns nor is calm, however it stood before', () => {
    const start = 2 * HOUR;
    let state = flow(newObjective(plan), { from: 0, until: start, stepMs: 10 * SECOND, perStep: 100, badShare: 0 });
    assert.equal(verdicts(plan, state, start), 'calm calm calm');
    assert.equal(verdicts(plan, state, start + 20 * MINUTE), 'calm calm calm', 'the long windows are known to be calm');
    state = flow(state, { from: start, until: start + 10 * MINUTE, stepMs: 10 * SECOND, perStep: 100, badShare: 0.5 });
    assert.equal(verdicts(plan, state, start + 20 * MINUTE).split(' ')[0], 'unknown');
  });

  it('of little traffic does not burn again for one more error after an incident', () => {
    const errorsAt = (at: number): number => (at > 2 * HOUR && at <= 2.2 * HOUR ? 0.5 : 0);
    let state = newObjective(plan);
    for (let at = MINUTE; at <= 2.5 * HOUR; at += MINUTE)
      state = observeCounts(state, { at, forMs: MINUTE, good: 4 * (1 - errorsAt(at)), total: 4 });
    assert.equal(verdicts(plan, state, 2.5 * HOUR).split(' ')[0], 'calm');
    const one = observeCounts(state, { at: 2.5 * HOUR + MINUTE, forMs: MINUTE, good: 3, total: 4 });
    const [fast] = judgeObjective(plan, one, 2.5 * HOUR + MINUTE).rules;
    assert.ok((fast?.short.burn ?? 0) > 14.4 && (fast?.long.burn ?? 0) > 14.4);
    assert.equal(fast?.verdict, 'unknown');
  });

  it('of which a part was not seen burned there as in the rest, unless most of the rest is missing too', () => {
    // 2 % of events fail for an hour after two healthy ones, and some of that hour is not seen.
    const burnsWithGapOf = (gapMs: number): string => {
      let state = flow(newObjective(plan), {
        from: 0,
        until: 2 * HOUR,
        stepMs: 10 * SECOND,
        perStep: 100,
        badShare: 0,
      });
      const half = (HOUR - gapMs) / 2;
      const later = { stepMs: 10 * SECOND, perStep: 100, badShare: 0.02 };
      state = flow(state, { from: 2 * HOUR, until: 2 * HOUR + half, ...later });
      state = flow(state, { from: 3 * HOUR - half, until: 3 * HOUR, ...later });
      return verdicts(plan, state, 3 * HOUR).split(' ')[0] ?? '';
    };
    assert.deepEqual([0, 14 * MINUTE, 40 * MINUTE].map(burnsWithGapOf), ['burning', 'burning', 'unknown']);
  });

  it('of which little is known has spent only what was seen', () => {
    // The daemon has just begun: ten seconds of errors are not an hour of them.
    let state = flow(newObjective(plan), {
      from: 0,
      until: 40 * SECOND,
      stepMs: 10 * SECOND,
      perStep: 100,
      badShare: 1,
    });
    assert.equal(verdicts(plan, state, 40 * SECOND), 'unknown unknown unknown');
    state = flow(state, { from: 40 * SECOND, until: MINUTE, stepMs: 10 * SECOND, perStep: 100, badShare: 1 });
    assert.equal(verdicts(plan, state, MINUTE).split(' ')[0], 'burning');
    const { consumed, observedShare } = judgeObjective(plan, state, MINUTE).budget;
    assert.ok(observedShare > 0 && observedShare < 0.001);
    assert.ok(Math.abs(consumed - MINUTE / (0.001 * 30 * DAY)) < 0.001, `${consumed}`);
  });

  it('goes on over a step of the clock back, and over one forward', () => {
    const start = 10 * DAY;
    const seen = flow(newObjective(plan), {
      from: start - 2 * HOUR,
      until: start,
      stepMs: 10 * SECOND,
      perStep: 100,
      badShare: 0.05,
    });
    const before = judgeObjective(plan, seen, start);
    const back = start - 5 * HOUR;
    const after = judgeObjective(plan, observeCounts(seen, { at: back, forMs: 0, good: 0, total: 0 }), back);
    assert.equal(after.rules.at(0)!.verdict, 'burning');
    assert.ok(Math.abs(after.rules.at(0)!.long.burn! - before.rules.at(0)!.long.burn!) < 1e-9);
    assert.equal(verdicts(plan, seen, start + DAY).split(' ')[0], 'unknown');
    assert.ok(Math.abs(judgeObjective(plan, seen, start + DAY).budget.bad - before.budget.bad) < 1e-6);
  });

  it('takes no counts that are none', () => {
    const state = newObjective(plan);
    const span = { at: 1000, forMs: 1000, good: 1, total: 1 };
    for (const change of [{ good: Number.NaN }, { total: -1 }, { total: Infinity }, { forMs: -1 }, { at: Number.NaN }])
      assert.equal(observeCounts(state, { ...span, ...change }), state);
    const more = judgeObjective(plan, observeCounts(state, { ...span, good: 5 }), 1000).budget;
    assert.deepEqual([more.events, more.bad], [1, 0]);
  });

  it('keeps its history over a restart and a change of its window', () => {
    const until = 2 * HOUR;
    const state = flow(newObjective(plan), { from: 0, until, stepMs: 10 * SECOND, perStep: 100, badShare: 0.05 });
    const again = resumeObjective(plan, JSON.parse(JSON.stringify(state)) as ObjectiveState);
    assert.deepEqual(again, state);
    const shorter = planObjective(objective({ windowMs: 7 * DAY }));
    const resumed = resumeObjective(shorter, state);
    const { budget, rules } = judgeObjective(shorter, resumed, until);
    assert.ok(Math.abs(budget.events - 72_000) < 1, `${budget.events}`);
    assert.ok(Math.abs(budget.consumed - (50 * 2 * HOUR) / (7 * DAY)) < 0.05, `${budget.consumed}`);
    assert.equal(rules.at(0)!.verdict, 'burning');
  });
});

/** What the rule must find, from every single event and the time that was seen. */
const judgeDirectly = (
  { objective: { target, minimumEvents }, rules }: ObjectivePlan,
  index: number,
  spans: readonly CountSpan[],
  now: number,
  edge: { readonly burn: number; readonly chance: number },
): RuleVerdict['verdict'] => {
  const { longMs, shortMs, burn } = rules.at(index)!;
  const seenAt = spans.at(-1)?.at ?? now;
  const at = now - seenAt <= Math.min(shortMs, 30 * SECOND) ? seenAt : now;
  const bucketMs = longMs / 120;
  const windowFrom = (buckets: number): number => (Math.ceil(at / bucketMs) - buckets) * bucketMs;
  const sum = (from: number): { events: number; bad: number; seenMs: number } => {
    const found = { events: 0, bad: 0, seenMs: 0 };
    for (const { at: to, forMs, good, total } of spans) {
      const seenMs = Math.max(0, to - Math.max(from, to - forMs));
      found.seenMs += seenMs;
      found.events += (total * seenMs) / forMs;
      found.bad += ((total - good) * seenMs) / forMs;
    }
    return found;
  };
  const [long, short] = [sum(windowFrom(120)), sum(windowFrom(10))];
  // What is spread over buckets sums up to a trifle less or more; so much is the same.
  const isKnown = long.events > Math.max(0, minimumEvents - 2e-6) + 1e-6;
  const isShortKnown = short.events > Math.max(0, Math.ceil(minimumEvents / 12) - 2e-6) + 1e-6;
  const budget = burn * (1 - target) * edge.burn;
  if (isShortKnown && short.bad / short.events <= budget) return 'calm';
  if (isKnown && long.bad / long.events <= budget) return 'calm';
  if (!isKnown || !isShortKnown) return 'unknown';
  const windowMs = at - windowFrom(120);
  const first = spans.at(0)!;
  const historyMs = Math.min(windowMs, at - (first.at - first.forMs));
  const known = (Math.min(1, long.seenMs / (0.75 * historyMs)) * historyMs) / windowMs;
  if ((long.bad / long.events) * known <= budget) return 'unknown';
  const sustainable = Math.min(1, burn / 2) * (1 - target);
  return isLucky(long, sustainable, 1e-2 * edge.chance) || isLucky(short, sustainable, 1e-2 * edge.chance)
    ? 'unknown'
    : 'burning';
};

/** One verdict; two where a burn or a chance is that of the rule but for rounding, or for the steps of what is tried. */
const directly = (
  plan: ObjectivePlan,
  index: number,
  spans: readonly CountSpan[],
  at: number,
): ReadonlySet<RuleVerdict['verdict']> =>
  new Set(
    [1 - 1e-9, 1 + 1e-9].flatMap((burn) =>
      [0.995, 1.005].map((chance) => judgeDirectly(plan, index, spans, at, { burn, chance })),
    ),
  );

/** So many bad ones or more could be chance: the bound on the binomial tail, minimized over its free parameter by trying. */
const isLucky = (
  { events, bad }: { readonly events: number; readonly bad: number },
  share: number,
  chance: number,
): boolean => {
  if (bad / events <= share) return true;
  let least = 0;
  for (let exponent = 0; exponent <= 30; exponent += 0.01)
    least = Math.min(least, events * Math.log(1 - share + share * Math.exp(exponent)) - exponent * bad);
  return least > Math.log(chance);
};

describe('the verdict on an objective', () => {
  const SPAN = 10 * SECOND;
  const moves = fc.array(
    fc.record({
      steps: fc.integer({ min: 1, max: 60 }),
      /** `gap`: nobody looks. `away`: nobody looks, but the counters go on. `restart`: the counters begin again. */
      kind: fc.constantFrom('flow', 'flow', 'flow', 'gap', 'away', 'restart'),
      perStep: fc.constantFrom(0, 1, 3, 20, 1000),
      badShare: fc.constantFrom(0, 0, 0.0005, 0.002, 0.01, 0.03, 0.2, 1),
    }),
    { minLength: 1, maxLength: 12 },
  );

  it('is that of a direct evaluation of every span, with gaps and restarts of the counters', () => {
    const seen = { burning: 0, calm: 0, unknown: 0 };
    const plans = [
      planObjective(objective({ windowMs: DAY })),
      planObjective(objective({ windowMs: DAY, target: 0.99, minimumEvents: 10 })),
      planObjective(objective({ windowMs: HOUR, target: 0.95 })),
      planObjective(objective({ windowMs: 7 * DAY, target: 0.9, minimumEvents: 1 })),
    ];
    fc.assert(
      fc.property(moves, fc.constantFrom(...plans), fc.nat(600), fc.nat(1000), (history, plan, lateSeconds, seed) => {
        let at = 100 * DAY;
        let [state, known, counters] = [newObjective(plan), null as Counters | null, { good: 0, total: 0 } as Counters];
        let seenAt = at;
        const spans: CountSpan[] = [];
        let random = seed;
        for (const { steps, kind, perStep, badShare } of history) {
          if (kind === 'restart') counters = { good: 0, total: 0 };
          // What restarts unseen is a new counter; what the daemon has not followed has no beginning.
          if (kind === 'gap') known = null;
          for (let step = 0; step < steps; step++) {
            at += SPAN;
            random = (random * 1103515245 + 12345) % 2147483648;
            const bad = Math.min(perStep, Math.floor(perStep * badShare + random / 2147483648));
            counters = { good: counters.good + perStep - bad, total: counters.total + perStep };
            if (kind === 'gap' || (kind === 'away' && step < steps - 1)) continue;
            const counts = countsBetween(known, counters);
            if (counts !== null) {
              const span = { at, forMs: at - seenAt, ...counts };
              spans.push(span);
              state = observeCounts(state, span);
            }
            [known, seenAt] = [counters, at];
            if (step % 7 !== 0) continue;
            const judged = judgeObjective(plan, state, at);
            for (const [index, { verdict, rule }] of judged.rules.entries()) {
              assert.ok(directly(plan, index, spans, at).has(verdict), `${verdict} ${rule.longMs} at ${at}`);
              seen[verdict] += 1;
            }
          }
        }
        for (const [index, { verdict }] of judgeObjective(plan, state, at + lateSeconds * SECOND).rules.entries())
          assert.ok(directly(plan, index, spans, at + lateSeconds * SECOND).has(verdict), `${verdict}, late`);
      }),
      { numRuns: 500 },
    );
    for (const [verdict, count] of Object.entries(seen)) assert.ok(count > 500, `${verdict}: ${count}`);
  });
});
