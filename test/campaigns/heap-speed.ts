/**
 * The whole work on heap snapshots (names, sums by class, distances, retained sizes), a process for each run, side by side
 * with the heap worker of Chrome DevTools and with memlab. The files are made of a real snapshot of a service, as many
 * copies of its graph as wanted, in a folder that is removed. Needs `npm run build` and the packages of `test/oracle`.
 */
import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import { readSnapshot } from '../../src/heap/index.ts';
import { bundleDevTools } from '../oracle/bundle-devtools.ts';
import { installPackage } from '../provisions.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { writeReplica } from './heap-speed/replicate.ts';

const PROGRAMS = join(import.meta.dirname, 'heap-speed');
const MB = 1_000_000;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly nodes: number;
}

interface Size {
  readonly name: string;
  readonly copies: number;
  readonly extraStringBytes: number;
  readonly rounds: number;
  /** Least times as fast as DevTools and memlab; null where only Drover runs. */
  readonly least: { readonly devtools: number; readonly memlab: number } | null;
}

const BOUNDS = { small: { devtools: 3, memlab: 3.5 }, large: { devtools: 4, memlab: 5 } };
const PEAK_LIMIT = 0.35;
const BYTES_PER_BYTE_LIMIT = 1.5;
const PER_NODE_LIMIT = 1.25;

/** What takes longest comes last: a run that is cut short has the others. */
const SIZES: readonly Size[] = [
  { name: '90 MB', copies: 1, extraStringBytes: 0, rounds: 3, least: BOUNDS.small },
  { name: '470 MB', copies: 5, extraStringBytes: 0, rounds: 3, least: BOUNDS.large },
  { name: '1 GB of strings', copies: 1, extraStringBytes: 1000 * MB, rounds: 1, least: null },
  { name: '6 GB', copies: 60, extraStringBytes: 0, rounds: 1, least: null },
  { name: '1.7 GB', copies: 17, extraStringBytes: 0, rounds: 3, least: BOUNDS.large },
];
const SMALL_SIZES: readonly Size[] = [
  { name: '13 MB', copies: 1, extraStringBytes: 0, rounds: 1, least: BOUNDS.small },
  { name: '40 MB', copies: 3, extraStringBytes: 0, rounds: 1, least: BOUNDS.large },
  { name: '100 MB of strings', copies: 1, extraStringBytes: 100 * MB, rounds: 1, least: null },
];

type Side = 'drover' | 'devtools' | 'memlab';

export const heapSpeed: Campaign = {
  name: 'heap-speed',
  shows: 'heap snapshots from 90 MB to 6 GB: time and memory beside the heap worker of Chrome DevTools and memlab',
  run: async (run) => {
    installPackage(join(import.meta.dirname, '..', 'oracle'), 'test/oracle', (line) => run.say(line));
    await using folder = await temporaryFolder('heap-speed');
    const bundle = await bundleDevTools(join(folder.path, 'devtools'));
    const base = join(folder.path, 'base.heapsnapshot');
    await execute('busy-service.mjs', [base, run.isSmall ? '1200' : '12900']);
    const perNode = new Map<string, { readonly wallMs: number; readonly cpuMs: number }>();
    for (const size of run.isSmall ? SMALL_SIZES : SIZES) {
      const rounds = await measure(run, size, base, join(folder.path, 'big.heapsnapshot'), bundle);
      judge(run, size, rounds);
      const each = (what: 'wallMs' | 'cpuMs'): number =>
        median(rounds.map(({ drover }) => drover[what] / drover.nodes));
      perNode.set(size.name, { wallMs: each('wallMs'), cpuMs: each('cpuMs') });
    }
    const [least, most] = [perNode.get('90 MB'), perNode.get('1.7 GB')];
    if (least === undefined || most === undefined) return;
    // By the clock, as the speeds above are; processor time contains starting a process and a thread.
    const ratio = most.wallMs / least.wallMs;
    const [clock, processor] = (['wallMs', 'cpuMs'] as const).map(
      (what) => `${fixed(least[what] * 1e6, 0)} ns and ${fixed(most[what] * 1e6, 0)} ns`,
    );
    run.bound(
      'time per node from 90 MB to 1.7 GB',
      ratio <= PER_NODE_LIMIT && 1 / ratio <= PER_NODE_LIMIT,
      `by the clock ${clock}; processor time ${processor}`,
    );
  },
};

interface Round {
  readonly fileBytes: number;
  readonly drover: Cost;
  readonly devtools: Cost | null;
  readonly memlab: Cost | null;
}

/** Every round is a row, so that a measurement of hours can be taken up again. */
async function measure(run: CampaignRun, size: Size, base: string, file: string, bundle: string): Promise<Round[]> {
  const rounds: Round[] = [];
  let isWritten = false;
  for (let round = 1; round <= size.rounds; round += 1)
    rounds.push(
      await run.row(`${size.name}, round ${round}`, async () => {
        if (!isWritten) writeReplica(await readSnapshot(base), file, size);
        isWritten = true;
        const cost = async (side: Side): Promise<Cost> =>
          JSON.parse(await execute(`${side}.mjs`, [file, bundle])) as Cost;
        const drover = await cost('drover');
        const others = size.least !== null;
        return {
          fileBytes: (await stat(file)).size,
          drover,
          devtools: others ? await cost('devtools') : null,
          memlab: others ? await cost('memlab') : null,
        };
      }),
    );
  await rm(file, { force: true });
  return rounds;
}

function judge(run: CampaignRun, size: Size, rounds: readonly Round[]): void {
  const sides: readonly Side[] = size.least === null ? ['drover'] : ['drover', 'devtools', 'memlab'];
  const costs = (side: Side): Cost[] => rounds.flatMap((round) => round[side] ?? []);
  run.table(
    [size.name, 'wall s', 'CPU s', 'peak MB', 'bytes a byte of file'],
    sides.map((side) => [
      side,
      fixed(median(costs(side).map(({ wallMs }) => wallMs)) / 1000, 2),
      fixed(median(costs(side).map(({ cpuMs }) => cpuMs)) / 1000, 2),
      fixed(median(costs(side).map(({ peakBytes }) => peakBytes)) / MB, 0),
      fixed(median(rounds.map((round) => (round[side]?.peakBytes ?? 0) / round.fileBytes)), 2),
    ]),
  );
  const drover = costs('drover');
  const nodes = new Set(sides.flatMap((side) => costs(side).map((cost) => cost.nodes)));
  run.check(`${size.name}: all see the same nodes`, nodes.size === 1, [...nodes].join(', '));
  if (size.least === null) {
    const most = median(rounds.map((round) => round.drover.peakBytes / round.fileBytes));
    run.bound(`${size.name}: memory`, most <= BYTES_PER_BYTE_LIMIT, `${fixed(most, 2)} bytes a byte of the file`);
    return;
  }
  for (const side of ['devtools', 'memlab'] as const) {
    const of = (what: 'wallMs' | 'cpuMs' | 'peakBytes'): number =>
      medianRatio(
        costs(side).map((cost) => cost[what]),
        drover.map((cost) => cost[what]),
      );
    const faster = of('wallMs');
    const detail = `${fixed(faster)} times as fast by the clock, ${fixed(of('cpuMs'))} in CPU time`;
    run.bound(`${size.name}: speed against ${side}`, faster >= size.least[side], detail);
    const memory = 1 / of('peakBytes');
    run.bound(`${size.name}: memory against ${side}`, memory <= PEAK_LIMIT, `${fixed(memory, 2)} of it`);
  }
}

/** Output of one of the programs; Node gets the heap it may want, and no other option, as our engine's process. */
async function execute(program: string, args: readonly string[]): Promise<string> {
  const command = ['--max-old-space-size=16000', join(PROGRAMS, program), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 64 * MB });
  return stdout;
}
