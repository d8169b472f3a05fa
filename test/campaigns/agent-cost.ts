/**
 * What the agent costs one worker, measured by `bench/agent-cost.ts` beside the same app without it, under each Node
 * that workers may run on.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { installPackage } from '../provisions.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';

const TEST = join(import.meta.dirname, '..');
const PROGRAM = join(TEST, '..', 'bench', 'agent-cost.ts');
const MOST_CPU = 1.03;
const MOST_MB = 4;
/** Node 20 loads `net` at once, which takes longer. */
const mostLoadMs = ({ major }: TestNode): number => (major === 20 ? 8 : 4);

interface Figure {
  readonly figure: string;
  readonly [name: string]: string | number;
}

export const agentCost: Campaign = {
  name: 'agent-cost',
  shows: 'the agent costs at most 3 % CPU per request, 4 MB and 4 ms (8 on Node 20) per worker',
  run: async (run) => {
    installPackage(join(TEST, 'nodes'), 'test/nodes', (line) => run.say(line));
    const rows: (readonly [string, string, string])[] = [];
    for (const node of listNodes()) {
      const figures = await run.row(node.name, async () => measure(node, run.isSmall));
      rows.push(...figures.map(({ figure, ...rest }) => [node.name, figure, JSON.stringify(rest)] as const));
      const read = (figure: string, name: string): number => {
        const value = figures.find((one) => one.figure === figure)?.[name];
        if (typeof value !== 'number') throw new Error(`no ${name} of ${figure} in what bench/agent-cost.ts printed`);
        return value;
      };
      const bound = (what: string, value: number, most: number): void =>
        run.bound(`${node.name}: ${what} at most ${most}`, value <= most, fixed(value, 3));
      bound('CPU per kept-alive request, times the bare app', read('cpu-kept-alive', 'ratio'), MOST_CPU);
      bound('CPU per new connection, times the bare app', read('cpu-new-connection', 'ratio'), MOST_CPU);
      bound('resident MB per worker', read('memory', 'rssMB'), MOST_MB);
      bound('ms to load', read('load', 'medianMs'), mostLoadMs(node));
      run.check(`${node.name}: the figures are there`, figures.length >= 4, `${figures.length} figures`);
    }
    run.table(['node', 'figure', 'measured'], rows);
  },
};

async function measure({ path }: TestNode, isSmall: boolean): Promise<Figure[]> {
  const size = isSmall ? ['--rounds', '10', '--sets', '1'] : [];
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, '--node', path, ...size];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 900_000 });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Figure);
}
