/**
 * How often the verdict on heap snapshots is right: all programs of `test/corpus` on this Node, a part of them on the other
 * supported ones, memlab beside it on the same files.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, type CampaignRun, median } from '../../bench/campaign.ts';
import { askMemlab, type MemlabAnswer } from '../corpus/ask-memlab.ts';
import { capture } from '../corpus/capture.ts';
import { judge, type Judged } from '../corpus/judge.ts';
import { listPrograms, type Program } from '../corpus/manifest.ts';
import { SAMPLE } from '../corpus/sample.ts';
import { installPackage } from '../provisions.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const SMALL = SAMPLE.filter((_name, index) => index % 3 !== 2);
/** Of issue 3. */
const LEAST = { verdict: 0.95, holder: 0.9 };

interface Outcome {
  readonly judged: Judged;
  readonly memlab: MemlabAnswer | null;
}

export const heapVerdict: Campaign = {
  name: 'heap-verdict',
  shows: 'verdict, holder and pattern on programs that leak and programs that do not; memlab beside it',
  run: async (run) => {
    for (const name of ['test/corpus', 'test/corpus/memlab', 'test/nodes']) {
      installPackage(join(ROOT, name), name, (line) => run.say(line));
    }
    await using folder = await temporaryFolder('heap-verdict');
    const outcomes: Outcome[] = [];
    for (const node of listNodes()) {
      const isOwn = node.path === process.execPath;
      if (!isOwn && run.isSmall) continue;
      const names = run.isSmall ? SMALL : isOwn ? [] : SAMPLE;
      const programs = listPrograms(names).filter(({ minNode }) => node.major >= minNode);
      const found: Outcome[] = [];
      for (const program of programs) found.push(await measure(run, folder, program, node, isOwn));
      report(run, node, found);
      outcomes.push(...found);
    }
    checkAll(run, outcomes);
    compareWithMemlab(run, outcomes);
  },
};

async function measure(
  run: CampaignRun,
  folder: TemporaryFolder,
  program: Program,
  node: TestNode,
  withMemlab: boolean,
): Promise<Outcome> {
  return run.row(`${program.name} on ${node.name}`, async () => {
    const { files } = await capture(program, folder.path, node.path);
    try {
      const found = await judge(program, files);
      // Rows are kept: where this checkout lies is nobody's business.
      const judged = JSON.parse(JSON.stringify(found).replaceAll(`${ROOT}/`, '')) as Judged;
      return { judged, memlab: withMemlab ? await askMemlab(program, files) : null };
    } finally {
      for (const file of files) rmSync(file, { force: true });
    }
  });
}

const isLeaking = ({ judged }: Outcome): boolean => judged.isLeaking;
const share = (of: readonly Outcome[], is: (outcome: Outcome) => boolean): number =>
  of.length === 0 ? 1 : of.filter(is).length / of.length;
const count = (of: readonly Outcome[], is: (outcome: Outcome) => boolean): string =>
  `${of.filter(is).length}/${of.length}`;

function report(run: CampaignRun, node: TestNode, outcomes: readonly Outcome[]): void {
  const leaking = outcomes.filter(isLeaking);
  run.table(
    [node.name, 'verdict', 'holder first', 'pattern', 'line', 'all leaks in three', 'false alarms'],
    [
      [
        `${outcomes.length} programs`,
        count(outcomes, ({ judged }) => judged.isVerdictRight),
        count(leaking, ({ judged }) => judged.isHolderRight),
        count(leaking, ({ judged }) => judged.isPatternRight),
        count(leaking, ({ judged }) => judged.isLineRight),
        count(leaking, ({ judged }) => judged.found === judged.leaks),
        count(
          outcomes.filter((outcome) => !isLeaking(outcome)),
          ({ judged }) => judged.verdict === 'leak',
        ),
      ],
    ],
  );
}

function checkAll(run: CampaignRun, outcomes: readonly Outcome[]): void {
  const leaking = outcomes.filter(isLeaking);
  const wrong = (is: (judged: Judged) => boolean, of: readonly Outcome[]): string =>
    of
      .flatMap(({ judged }) => (is(judged) ? [] : [`${judged.name} (${judged.verdict}: ${judged.suspects[0] ?? '–'})`]))
      .join('; ');
  const verdict = share(outcomes, ({ judged }) => judged.isVerdictRight);
  run.check(
    `the verdict is right on at least ${LEAST.verdict * 100} %`,
    verdict >= LEAST.verdict,
    `${(verdict * 100).toFixed(1)} %; wrong: ${wrong(({ isVerdictRight }) => isVerdictRight, outcomes)}`,
  );
  const holder = share(leaking, ({ judged }) => judged.isHolderRight);
  run.check(
    `the holder is first on at least ${LEAST.holder * 100} % of the leaks`,
    holder >= LEAST.holder,
    `${(holder * 100).toFixed(1)} %; wrong: ${wrong(({ isHolderRight }) => isHolderRight, leaking)}`,
  );
  const alarms = outcomes.filter(({ judged }) => !judged.isLeaking && judged.verdict === 'leak');
  run.check(
    'there is no false alarm',
    alarms.length === 0,
    alarms.map(({ judged }) => judged.name).join(', ') || 'none',
  );
}

function compareWithMemlab(run: CampaignRun, outcomes: readonly Outcome[]): void {
  const both = outcomes.filter(({ memlab }) => memlab !== null);
  const leaking = both.filter(isLeaking);
  const healthy = both.filter((outcome) => !isLeaking(outcome));
  const seconds = (values: readonly number[]): string => `${(median(values) / 1000).toFixed(1)} s`;
  run.table(
    [
      'the same snapshots',
      'leaks said to leak',
      'holder first',
      'holder anywhere',
      'false alarms',
      'not done in 120 s',
      'median time',
    ],
    [
      [
        'drover',
        count(leaking, ({ judged }) => judged.verdict === 'leak'),
        count(leaking, ({ judged }) => judged.isHolderRight),
        count(leaking, ({ judged }) => judged.found > 0),
        count(healthy, ({ judged }) => judged.verdict === 'leak'),
        count(both, () => false),
        seconds(both.map(({ judged }) => judged.elapsedMs)),
      ],
      [
        'memlab --trace-all-objects',
        count(leaking, ({ memlab }) => (memlab?.clusters ?? 0) > 0),
        count(leaking, ({ memlab }) => memlab?.isHolderFirst === true),
        count(leaking, ({ memlab }) => memlab?.isHolderAnywhere === true),
        count(healthy, ({ memlab }) => (memlab?.clusters ?? 0) > 0),
        count(both, ({ memlab }) => memlab?.isTimeOut === true),
        seconds(both.map(({ memlab }) => memlab?.elapsedMs ?? Number.NaN)),
      ],
    ],
  );
}
