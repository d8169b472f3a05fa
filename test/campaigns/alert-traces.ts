/**
 * Alerts on objectives, judged on simulated incidents: whether those are told that the budget says must be told, in time, and
 * nothing else is; beside a single threshold on the same traces. What should be told is worked out from the rates that a trace
 * was made of (test/support/alert-traces/truth.ts). Traces in which it hangs on 15 % of the errors have no right answer:
 * they are drawn again, and counted.
 */
import { type Campaign, type CampaignRun, fixed, median } from '../../bench/campaign.ts';
import { CLASSES, makeTrace, type Trace, type TraceClass } from '../support/alert-traces/generate.ts';
import { type Played, playTrace } from '../support/alert-traces/play.ts';
import { type Due, dueTimes, isAmbiguous, type Level } from '../support/alert-traces/truth.ts';

const MINUTE = 60_000;
const SEED = 41_000;
const LEAST = 0.95;
/** What passes until a receiver is told what is true: a look, the wait of the group, chance among few events. */
const PROMPT_MS = MINUTE;
/** Of the rule's long window, for the chance in what is sampled. */
const PROMPT_SHARE = 0.1;
const JUDGES = ['page', 'told', 'naive'] as const;
type Judge = (typeof JUDGES)[number];

interface Score {
  /** Incidents that had to be told, and those that were, in time. */
  due: number;
  found: number;
  /** Alerts that began, and those that had to. */
  told: number;
  right: number;
  /** From the moment that the budget says, milliseconds. */
  readonly delaysMs: number[];
  readonly wrong: string[];
}

type Scores = Readonly<Record<Judge, Score>>;

interface ClassResult {
  readonly traces: number;
  readonly setAside: number;
  readonly leftFiring: number;
  readonly scores: Scores;
}

const newScore = (): Score => ({ due: 0, found: 0, told: 0, right: 0, delaysMs: [], wrong: [] });
const newScores = (): Scores => ({ page: newScore(), told: newScore(), naive: newScore() });

export const alertTraces: Campaign = {
  name: 'alert-traces',
  shows: 'of simulated incidents those are told that the error budget says must be, in time, and nothing else is',
  run: async (run) => {
    const count = run.isSmall ? 40 : 200;
    const results: [TraceClass, ClassResult][] = [];
    for (const [index, kind] of CLASSES.entries()) {
      const size = Math.floor((count * (index + 1)) / CLASSES.length) - Math.floor((count * index) / CLASSES.length);
      results.push([kind, await run.row(kind, async () => judgeClass(kind, size, SEED + 1000 * index))]);
    }
    report(run, results);
  },
};

function judgeClass(kind: TraceClass, size: number, firstSeed: number): ClassResult {
  const scores = newScores();
  let [traces, setAside, leftFiring] = [0, 0, 0];
  for (let seed = firstSeed; traces < size; seed++) {
    const trace = makeTrace(kind, seed);
    if (isAmbiguous(trace)) {
      setAside += 1;
      continue;
    }
    traces += 1;
    const played = playTrace(trace);
    leftFiring += played.leftFiring;
    for (const judge of JUDGES) scoreTrace(scores[judge], trace, judge, played);
  }
  return { traces, setAside, leftFiring, scores };
}

/** The single threshold is meant to page. */
const LEVEL: Readonly<Record<Judge, Level>> = { page: 'page', told: 'told', naive: 'page' };

function scoreTrace(score: Score, trace: Trace, judge: Judge, played: Played): void {
  const dues = dueTimes(trace, LEVEL[judge]);
  const times = timesOf(judge, played);
  for (const due of dues) {
    score.due += 1;
    const first = times.find((at) => at >= beginOf(trace, due) && at <= due.to + PROMPT_MS);
    if (first !== undefined && first <= deadlineOf(trace, due)) score.found += 1;
    else score.wrong.push(`${trace.seed}: ${first === undefined ? 'not told' : 'late'}`);
    if (first !== undefined) score.delaysMs.push(first - due.from);
  }
  for (const at of times) {
    score.told += 1;
    if (dues.some((due) => at >= beginOf(trace, due) && at <= due.to + PROMPT_MS)) score.right += 1;
    else score.wrong.push(`${trace.seed}: told for nothing`);
  }
}

function timesOf(judge: Judge, { told, naive }: Played): readonly number[] {
  if (judge === 'naive') return naive;
  return told.filter(({ level }) => judge === 'told' || level === 'page').map(({ at }) => at);
}

/** Told early, but of this incident: that is no mistake. */
const beginOf = ({ phases }: Trace, due: Due): number =>
  phases.findLast(({ from }) => from <= due.from)?.from ?? due.from;

/** While nobody looks nobody can tell. */
function deadlineOf({ breaks }: Trace, { from, longMs }: Due): number {
  const unseen = breaks.find((one) => one.from <= from && one.to > from);
  return (unseen?.to ?? from) + PROMPT_MS + PROMPT_SHARE * longMs;
}

const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${fixed((100 * part) / whole)} % (${part} of ${whole})`;
const delays = ({ delaysMs }: Score): string =>
  delaysMs.length === 0 ? '–' : `${fixed(median(delaysMs) / MINUTE)} min`;

function report(run: CampaignRun, results: readonly (readonly [TraceClass, ClassResult])[]): void {
  const all = newScores();
  for (const [, { scores }] of results) for (const judge of JUDGES) add(all[judge], scores[judge]);
  const rows: (readonly [string, Scores, string])[] = [
    ...results.map(([kind, { scores, traces, setAside }]) => [kind, scores, `${traces} (${setAside})`] as const),
    ['all', all, ''],
  ];
  for (const [judge, name] of [
    ['page', 'pages'],
    ['told', 'pages and tickets'],
    ['naive', 'single threshold, as pages'],
  ] as const) {
    run.say(name);
    run.table(
      ['class', 'traces (set aside)', 'precision', 'recall', 'delay, median'],
      rows.map(([kind, scores, traces]) => {
        const { right, told, found, due } = scores[judge];
        return [kind, traces, share(right, told), share(found, due), delays(scores[judge])];
      }),
    );
  }
  for (const judge of ['page', 'told'] as const) {
    for (const [kind, { scores }] of results)
      if (scores[judge].wrong.length > 0) run.say(`${judge}, ${kind}: ${scores[judge].wrong.join('; ')}`);
    const { right, told, found, due } = all[judge];
    run.check(`${judge}: precision at least ${100 * LEAST} %`, told > 0 && right >= LEAST * told, share(right, told));
    run.check(`${judge}: recall at least ${100 * LEAST} %`, due > 0 && found >= LEAST * due, share(found, due));
  }
  const left = results.reduce((sum, [, { leftFiring }]) => sum + leftFiring, 0);
  run.say(`${left} alerts were still firing when their trace ended`);
}

function add(sum: Score, score: Score): void {
  sum.due += score.due;
  sum.found += score.found;
  sum.told += score.told;
  sum.right += score.right;
  sum.delaysMs.push(...score.delaysMs);
}
