/**
 * Who should have been told of a trace, and by when: from the rates that it was made of, not from what was sampled of them, and
 * by the numbers of the Site Reliability Workbook written out, not by the code that is judged.
 */
import type { Trace } from './generate.ts';

export type Level = 'page' | 'told';

/** From when to when somebody should know. */
export interface Due {
  readonly from: number;
  readonly to: number;
  /** The long window of the rule that says so. */
  readonly longMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Rule {
  readonly level: Level;
  readonly longMs: number;
  readonly shortMs: number;
  readonly burn: number;
}

/** Pages count as told as well. */
const RULES: Readonly<Record<number, readonly Rule[]>> = {
  [30 * DAY]: [
    { level: 'page', longMs: HOUR, shortMs: 5 * MINUTE, burn: 14.4 },
    { level: 'page', longMs: 6 * HOUR, shortMs: 30 * MINUTE, burn: 6 },
    { level: 'told', longMs: 72 * HOUR, shortMs: 6 * HOUR, burn: 1 },
  ],
  [DAY]: [
    { level: 'page', longMs: 2 * MINUTE, shortMs: MINUTE / 6, burn: 14.4 },
    { level: 'page', longMs: 12 * MINUTE, shortMs: MINUTE, burn: 6 },
    { level: 'told', longMs: 144 * MINUTE, shortMs: 12 * MINUTE, burn: 1 },
  ],
};

/** Times between which nothing has to be told are no second incident if they are shorter. */
const MERGE_MS = 30 * MINUTE;

/** When the rules hold, of the expected events; `scale` makes all error shares of the incident larger or smaller. */
export const dueTimes = (trace: Trace, level: Level, scale = 1): readonly Due[] => {
  const { objective, startsAt, until, stepMs, perSecond } = trace;
  const { minimumEvents } = objective;
  // Fewer events in a window say nothing, as the objective has it; in the short one a twelfth of that.
  const hasEnough = ({ longMs, shortMs }: Rule): boolean =>
    (perSecond * longMs) / 1000 >= minimumEvents && (perSecond * shortMs) / 1000 >= minimumEvents / 12;
  const rules = RULES[objective.windowMs]!.filter(
    (rule) => (level === 'told' || rule.level === 'page') && hasEnough(rule),
  );
  const budget = 1 - objective.target;
  const due: Due[] = [];
  for (let at = startsAt; at <= until; at += stepMs) {
    const rule = rules.find(
      ({ longMs, shortMs, burn }) =>
        expectedShare(trace, at - longMs, at, scale) > burn * budget &&
        expectedShare(trace, at - shortMs, at, scale) > burn * budget,
    );
    if (rule === undefined) continue;
    const last = due.at(-1);
    if (last !== undefined && at - last.to <= MERGE_MS) due[due.length - 1] = { ...last, to: at };
    else due.push({ from: at, to: at, longMs: rule.longMs });
  }
  return due;
};

/** The share of bad events between two times; traffic is even. */
const expectedShare = ({ phases, baseShare }: Trace, from: number, to: number, scale: number): number => {
  let [known, bad] = [0, 0];
  for (const phase of phases) {
    const ms = Math.max(0, Math.min(to, phase.to) - Math.max(from, phase.from));
    known += ms;
    bad += ms * Math.min(1, phase.badShare * scale);
  }
  return (bad + (to - from - known) * baseShare) / (to - from);
};

/** The answer hangs on a few per cent of the errors: no rule is wrong on either side. */
export const isAmbiguous = (trace: Trace): boolean =>
  (['page', 'told'] as const).some((level) => {
    const answers = [0.85, 1, 1.15].map((scale) => dueTimes(trace, level, scale).length > 0);
    return answers.includes(true) && answers.includes(false);
  });
