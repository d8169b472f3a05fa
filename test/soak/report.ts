/** Prints what a soak has shown and checks what must hold: for `npm run soak` and the campaign alike. */
import { type CampaignRun, fixed } from '../../bench/campaign.ts';
import { type Census, differenceOf, totalOf } from './descriptors.ts';
import {
  type Difference,
  type HoldingsFinding,
  judgeHoldings,
  judgeMemory,
  type Measure,
  type MemoryFinding,
  resolutionOf,
} from './judge.ts';
import type { Slope } from './slope.ts';
import type { SoakResult } from './soak-result.ts';

const NAMES: Readonly<Record<Measure, string>> = {
  privateDirtyBytes: 'private, dirty',
  restingBytes: 'private, dirty, at rest',
  pssBytes: 'Pss',
  rssBytes: 'Rss',
  aliveBytes: 'alive after a collection',
  codeBytes: 'compiled code',
};

/**
 * What must be steady in the daemon, and the growth in MB an hour that half an hour must be able to tell from none. The
 * other measures count the same pages in other ways, or those of others as well.
 */
const DAEMON_BOUNDS: Readonly<Partial<Record<Measure, number>>> = { restingBytes: 2, aliveBytes: 1 };
/** V8 goes on compiling for as long as there is something that was used seldom; it must come to an end. */
const CODE_BOUND = 0.5;
/** A program without Drover creeps as well (`docs/internals/soak.md`): in a worker, a growth of so much is excluded. */
const WORKER_ALIVE_BOUND = 1;

export type Report = Pick<CampaignRun, 'say' | 'table' | 'check' | 'bound'>;

export function reportSoak(run: Report, result: SoakResult): void {
  const { minutes, answered, lostWithKilled, lostUnexplained, warmUpRounds, activities } = result;
  const rounds = result.daemon.points.length;
  run.say(
    `${fixed(minutes)} minutes, ${rounds} rounds, the first ${warmUpRounds} of them to warm up; in each: ${activities.join(', ')}`,
  );
  run.say(`${answered} requests and messages answered, ${lostWithKilled} failed on a worker that was killed`);
  run.check('nothing else was lost', lostUnexplained.length === 0, lostUnexplained.slice(0, 5).join('; ') || 'nothing');
  run.check(
    'the same daemon and the same old workers to the end',
    result.areSameProcesses,
    String(result.areSameProcesses),
  );
  reportMemory(run, judgeMemory(result));
  reportHoldings(run, judgeHoldings(result));
  reportAfterKill(run, result);
}

function reportMemory(run: Report, findings: readonly MemoryFinding[]): void {
  run.table(
    ['process', 'memory', 'MB', 'slope MB/h', '95 % interval', 'autocorrelation', 'points'],
    findings
      .filter(({ points }) => points > 0)
      .map(({ process, measure, level, slope, points }) => [
        process,
        NAMES[measure],
        fixed(level),
        fixed(slope?.slope ?? null, 2),
        slope === null ? '–' : `${fixed(slope.low, 2)} to ${fixed(slope.high, 2)}`,
        fixed(slope?.autocorrelation ?? null, 2),
        points,
      ]),
  );
  for (const finding of findings) {
    // A run whose garbage is left to itself measures what is alive only twice, a short one not often enough.
    if (finding.slope === null) continue;
    if (finding.measure === 'codeBytes') {
      const { low, high } = finding.slope;
      run.bound(
        `the daemon’s code grows by less than ${CODE_BOUND} MB/h`,
        high < CODE_BOUND,
        `${fixed(low, 2)} to ${fixed(high, 2)} MB/h`,
      );
    } else if (finding.process === 'daemon') checkDaemon(run, finding, finding.slope);
    else if (finding.measure === 'aliveBytes') {
      const { low, high } = finding.slope;
      run.bound(
        `${finding.process}: memory (${NAMES.aliveBytes}) grows by less than ${WORKER_ALIVE_BOUND} MB/h`,
        high < WORKER_ALIVE_BOUND,
        `${fixed(low, 2)} to ${fixed(high, 2)} MB/h`,
      );
    }
  }
}

function checkDaemon(run: Report, { measure, growth }: MemoryFinding, slope: Slope): void {
  const bound = DAEMON_BOUNDS[measure];
  // Under load it is what it is at rest, and the garbage that waits to be collected: megabytes, more or less by chance.
  if (bound === undefined && measure !== 'privateDirtyBytes') return;
  const what = `the daemon’s memory (${NAMES[measure]})`;
  run.bound(`${what} does not grow`, growth !== 'rises', `${fixed(slope.slope, 2)} MB/h, ${growth}`);
  if (bound === undefined) return;
  const resolution = resolutionOf(slope);
  run.bound(`${what}: ${bound} MB/h would have been seen`, resolution <= bound, `±${fixed(resolution, 2)} MB/h`);
}

function reportHoldings(run: Report, findings: readonly HoldingsFinding[]): void {
  const kinds = [...new Set(findings.flatMap(({ descriptors }) => Object.keys(descriptors)))].toSorted();
  run.table(
    ['at quiet points', ...findings.map(({ process }) => process)],
    [
      ...kinds.map((kind) => [kind, ...findings.map(({ descriptors }) => descriptors[kind] ?? 0)]),
      ['descriptors in all', ...findings.map(({ descriptors }) => totalOf(descriptors))],
      ['threads', ...findings.map(({ threads }) => threads)],
      ['children', ...findings.map(({ children }) => children)],
      ['quiet points compared', ...findings.map(({ compared }) => compared)],
      ['of them different', ...findings.map(({ differences }) => differences.length)],
    ],
  );
  for (const { process, compared, differences } of findings) {
    run.check(
      `${process}: descriptors, threads and children are the same at every quiet point`,
      compared > 0 && differences.length === 0,
      differences.length === 0 ? `${compared} compared` : differences.slice(-3).map(describe).join('; '),
    );
  }
}

function reportAfterKill(run: Report, { workers, workersAfterKill }: SoakResult): void {
  for (const [index, { name, holdings }] of workers.entries()) {
    const before = holdings.at(-1)?.descriptors ?? {};
    const more = differenceOf(before, workersAfterKill[index]?.descriptors ?? {});
    const isSame = Object.keys(more).length === 0;
    run.check(
      `${name}: another daemon has it, and its descriptors are the same`,
      isSame,
      isSame ? 'the same' : list(more),
    );
  }
}

const describe = ({ round, more }: Difference): string => `round ${round}: ${list(more)}`;

const list = (more: Census): string =>
  Object.entries(more)
    .map(([kind, count]) => `${count > 0 ? '+' : ''}${count} ${kind}`)
    .join(', ');
