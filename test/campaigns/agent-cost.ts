/** What the agent costs one worker, measured by `bench/agent-cost.ts` beside the same app without it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, fixed } from '../../bench/campaign.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bench', 'agent-cost.ts');
const MOST_CPU = 1.03;
const MOST_MB = 4;
const MOST_LOAD_MS = 4;

interface Figure {
  readonly figure: string;
  readonly [name: string]: string | number;
}

export const agentCost: Campaign = {
  name: 'agent-cost',
  shows: 'the agent costs at most 3 % CPU per request, 4 MB and 4 ms per worker',
  run: async (run) => {
    const figures = await run.row('agent', async () => measure(run.isSmall));
    run.table(
      ['figure', 'measured'],
      figures.map(({ figure, ...rest }) => [figure, JSON.stringify(rest)]),
    );
    const read = (figure: string, name: string): number => {
      const value = figures.find((one) => one.figure === figure)?.[name];
      if (typeof value !== 'number') throw new Error(`no ${name} of ${figure} in what bench/agent-cost.ts printed`);
      return value;
    };
    const bound = (what: string, value: number, most: number): void =>
      run.bound(`${what} at most ${most}`, value <= most, fixed(value, 3));
    bound('CPU per kept-alive request, times the bare app', read('cpu-kept-alive', 'ratio'), MOST_CPU);
    bound('CPU per new connection, times the bare app', read('cpu-new-connection', 'ratio'), MOST_CPU);
    bound('resident MB per worker', read('memory', 'rssMB'), MOST_MB);
    bound('ms to load', read('load', 'medianMs'), MOST_LOAD_MS);
    run.check('the figures are there', figures.length >= 4, `${figures.length} figures`);
  },
};

async function measure(isSmall: boolean): Promise<Figure[]> {
  const size = isSmall ? ['--rounds', '3', '--requests', '6000'] : [];
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...size], { timeout: 900_000 });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Figure);
}
