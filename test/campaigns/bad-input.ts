/** Everything bad at once through one daemon (`bad-input/play.ts`): what it costs, and that nothing is lost by it. */
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { provide } from '../provisions.ts';
import { type Outcome, playBadInput, type Wishes } from './bad-input/play.ts';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const FULL: Wishes = { labelValues: 100_000, paths: 100_000, badMs: 90_000, untilAllIsTold: true };
export const SMALL: Wishes = { labelValues: 100_000, paths: 10_000, badMs: 0, untilAllIsTold: false };

/**
 * A daemon has about 70 MB; the last answers of four workers, 10,000 series each, what is written of them and the page itself are
 * some 40 MB more, and garbage as much again.
 */
export const MOST_DAEMON_MB = 256;
/** 100,000 label values twice are some 150 MB of the app's own, and prom-client copies all of its half whenever it is asked. */
export const MOST_WORKER_MB = 448;
const MOST_P99_MS = 100;
const MOST_MS = 500;

export const badInput: Campaign = {
  name: 'bad-input',
  shows:
    'metrics from hell, probes that hang, receivers that stall, a collector that takes nothing, all at once: bounded, clear, nothing lost',
  run: async (run) => {
    const needs = [{ command: 'promtool', debian: 'prometheus' }];
    const missing = provide({ needs, packages: ['test/app/servers'] }, ROOT, (line) => run.say(line));
    if (missing.length > 0) throw new Error(missing.join(', '));
    judge(
      run,
      await run.row('all at once', async () => playBadInput(run.isSmall ? SMALL : FULL)),
      run.isSmall ? SMALL : FULL,
    );
  },
};

/** What must hold however busy the machine is; the names of what does not. */
export const findBroken = (outcome: Outcome, wishes: Wishes): readonly string[] =>
  checksOf(outcome, wishes).flatMap(({ what, holds, detail }) => (holds ? [] : [`${what}: ${detail}`]));

interface Check {
  readonly what: string;
  readonly holds: boolean;
  readonly detail: string;
}

const none = (what: string, list: readonly string[]): Check => ({
  what,
  holds: list.length === 0,
  detail: list.length === 0 ? 'none is otherwise' : list.join(' | '),
});

const checksOf = (outcome: Outcome, wishes: Wishes): readonly Check[] => {
  const { lost, answered, pathsAnswered, daemonPeakMb, workersMb, poll, pages } = outcome;
  const unanswered = poll.filter(({ daemonMs }) => daemonMs === null).length;
  const mostOfWorker = Math.max(...workersMb.map(([, most]) => most));
  return [
    {
      what: 'normal traffic loses no request',
      holds: answered > 0 && Object.keys(lost).length === 0,
      detail: `${answered} answered, lost: ${JSON.stringify(lost)}`,
    },
    {
      what: 'all paths are answered',
      holds: pathsAnswered === wishes.paths,
      detail: `${pathsAnswered} of ${wishes.paths}`,
    },
    {
      what: `the daemon has at most ${MOST_DAEMON_MB} MB`,
      holds: daemonPeakMb.every((each) => each > 0 && each <= MOST_DAEMON_MB),
      detail: `${daemonPeakMb.join(' and ')} MB`,
    },
    {
      what: `a worker has at most ${MOST_WORKER_MB} MB`,
      holds: mostOfWorker <= MOST_WORKER_MB,
      detail: workersMb.map(([before, most]) => `${before} → ${most}`).join(', '),
    },
    {
      what: 'the API answers every question',
      holds: poll.length > 0 && unanswered === 0,
      detail: `${unanswered} of ${poll.length} not`,
    },
    {
      what: 'every page can be parsed',
      holds: pages > 3 && outcome.pageProblems.length === 0,
      detail: `${pages} pages: ${outcome.pageProblems.slice(0, 3).join(' | ')}`,
    },
    none('the good receiver is told of every alert', outcome.untold),
    none('and of the end of each', outcome.unresolved),
    none('nothing that is to be delivered is lost with the daemon', outcome.lostMessages),
    { what: 'there were dead letters', holds: outcome.deadLetters > 0, detail: String(outcome.deadLetters) },
    none('what is wrong is named', outcome.unclear),
    none('everything is quiet once it is well', outcome.unquiet),
    none('no worker was replaced', outcome.restarted),
    none('nothing unexpected happened', outcome.defects),
  ];
};

const judge = (run: CampaignRun, outcome: Outcome, wishes: Wishes): void => {
  const daemon = quantiles(outcome.poll.map(({ daemonMs }) => daemonMs ?? Infinity));
  const bystander = quantiles(outcome.poll.map(({ bystanderMs }) => bystanderMs ?? Infinity));
  run.table(
    ['answers', 'p50, ms', 'p99, ms', 'longest, ms'],
    [
      ['API of the daemon', ...daemon.map((ms) => fixed(ms))],
      ['a bystander', ...bystander.map((ms) => fixed(ms))],
    ],
  );
  run.table(
    ['victims', 'answered', 'daemon, MB', 'workers, MB', 'pages', 'page, MB', 'page, ms', 'dead letters'],
    [
      [
        outcome.victims,
        outcome.answered,
        outcome.daemonPeakMb.join(' / '),
        outcome.workersMb.map(([before, most]) => `${before} → ${most}`).join(', '),
        outcome.pages,
        fixed(outcome.pageMostMb),
        fixed(outcome.pageMostMs),
        outcome.deadLetters,
      ],
    ],
  );
  for (const { what, holds, detail } of checksOf(outcome, wishes)) run.check(what, holds, detail);
  const [, p99 = NaN, longest = NaN] = daemon;
  run.bound(`99 of 100 answers come within ${MOST_P99_MS} ms`, p99 <= MOST_P99_MS, `${fixed(p99)} ms`);
  run.bound(`none takes more than ${MOST_MS} ms`, longest <= MOST_MS, `${fixed(longest)} ms`);
};

const quantiles = (values: readonly number[]): readonly number[] => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return [at(0.5), at(0.99), at(1)];
};
