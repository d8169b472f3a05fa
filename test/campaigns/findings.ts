/**
 * The findings of `drover doctor` on every supported Node: pairs of programs that show a finding and twins that do not,
 * healthy services, and pairs that were written after the rules. Found means: the finding, at its function and line; false
 * means: anything at all in a twin or a healthy service.
 */
import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import type { Campaign, CampaignRun } from '../../bench/campaign.ts';
import { installPackage } from '../provisions.ts';
import { describe, findFault, judgeProgram } from '../findings/judge.ts';
import { type Case, listCases, listHealthy, listUnseen } from '../findings/truth.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { temporaryFolder } from '../support/temporary.ts';

const TEST = join(import.meta.dirname, '..');
const SMALL = 5;
const LEAST_FOUND = 0.95;

interface Result {
  readonly program: string;
  /** What is wrong, in words; null where nothing is. */
  readonly fault: string | null;
}

interface Tally {
  readonly shows: readonly Result[];
  readonly twins: readonly Result[];
}

export const findings: Campaign = {
  name: 'findings',
  shows: 'each finding is found at its place on Node 20 to 26, and nothing is found in twins and healthy services',
  run: async (run) => {
    installPackage(join(TEST, 'nodes'), 'test/nodes', (line) => run.say(line));
    const nodes = run.isSmall ? listNodes().slice(0, 1) : listNodes();
    const rows: (readonly (string | number)[])[] = [];
    for (const node of nodes) {
      const cases = run.isSmall
        ? listCases()
            .filter((_, at) => at % 9 === 0)
            .slice(0, SMALL)
        : listCases();
      const known = await judgeAll(run, node, 'pairs', cases);
      const unseen = await judgeAll(run, node, 'unseen pairs', run.isSmall ? [] : listUnseen());
      const healthy = await run.row(`${node.name}, healthy services`, async () =>
        judgeEach(node, run.isSmall ? listHealthy().slice(0, 1) : listHealthy(), async (program, judge) => {
          const { findings: found } = await judge(program);
          return found.length === 0 ? null : found.map(describe).join(', ');
        }),
      );
      report(run, node, 'pairs', known);
      report(run, node, 'unseen pairs', unseen);
      const falseOnes = healthy.filter(({ fault }) => fault !== null);
      run.check(`${node.name}: nothing in healthy services`, falseOnes.length === 0, tell(falseOnes, healthy));
      rows.push([node.name, ...count(known), ...count(unseen), `${falseOnes.length} of ${healthy.length}`]);
    }
    run.table(['node', 'found', 'false', 'unseen: found', 'false', 'healthy: false'], rows);
  },
};

type Judge = (program: string) => ReturnType<typeof judgeProgram>;

async function judgeAll(run: CampaignRun, node: TestNode, what: string, cases: readonly Case[]): Promise<Tally> {
  const shows = await run.row(`${node.name}, ${what}`, async () =>
    judgeEach(node, cases, async (one, judge) => findFault(one, await judge(one.shows)), nameOf),
  );
  const twins = await run.row(`${node.name}, twins of ${what}`, async () =>
    judgeEach(
      node,
      cases,
      async (one, judge) => {
        const { findings: found } = await judge(one.twin);
        return found.length === 0 ? null : found.map(describe).join(', ');
      },
      nameOf,
    ),
  );
  return { shows, twins };
}

const nameOf = ({ name }: Case): string => name;

/** Two at a time, as many as a small machine has processors; each has a fresh process and a folder that is emptied. */
async function judgeEach<One>(
  { path }: TestNode,
  all: readonly One[],
  findFaultOf: (one: One, judge: Judge) => Promise<string | null>,
  name: (one: One) => string = String,
): Promise<Result[]> {
  await using folder = await temporaryFolder('findings');
  const results: Result[] = [];
  const left = all.map((one, at) => ({ one, at }));
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const into = join(folder.path, String(next.at));
      await mkdir(into);
      const judge: Judge = async (program) => judgeProgram(program, { node: path, folder: into });
      const { one } = next;
      results.push({
        program: name(one).replace(/^.*\/fixtures\//, ''),
        fault: await findFaultOf(one, judge).catch(String),
      });
      await rm(into, { recursive: true });
    }
  };
  await Promise.all([work(), work()]);
  return results.toSorted((a, b) => (a.program < b.program ? -1 : 1));
}

function report(run: CampaignRun, { name }: TestNode, what: string, { shows, twins }: Tally): void {
  if (shows.length === 0) return;
  const missed = shows.filter(({ fault }) => fault !== null);
  const isFound = shows.length - missed.length >= LEAST_FOUND * shows.length;
  run.check(`${name}: at least 95 % of ${what} found at their place`, isFound, tell(missed, shows));
  const falseOnes = twins.filter(({ fault }) => fault !== null);
  run.check(`${name}: nothing in twins of ${what}`, falseOnes.length === 0, tell(falseOnes, twins));
}

const tell = (wrong: readonly Result[], all: readonly Result[]): string =>
  `${all.length - wrong.length} of ${all.length}${wrong.map(({ program, fault }) => `\n    ${program}: ${fault}`).join('')}`;

const count = ({ shows, twins }: Tally): readonly string[] =>
  [shows.filter(({ fault }) => fault === null), twins.filter(({ fault }) => fault !== null)].map(
    (some, at) => `${some.length} of ${at === 0 ? shows.length : twins.length}`,
  );
