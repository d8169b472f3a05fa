/**
 * Requests per second, and CPU per request, of a hello-world: kept-alive and with a new connection each, against bare
 * processes with `reusePort`, node:cluster and pm2 in the same run. CPU per request counts all
 * processes of a contender, managers included.
 */
import { join } from 'node:path';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import type { Contender } from '../../bench/contenders/contender.ts';
import { droverContender } from '../../bench/contenders/drover.ts';
import { clusterContender, reusePortContender } from '../../bench/contenders/node.ts';
import { pm2Contender } from '../../bench/contenders/pm2.ts';
import { readCpuMs } from '../../bench/processes.ts';
import { runWrk, WRK } from '../../bench/wrk.ts';
import { provide } from '../provisions.ts';
import { freePort } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'hello.cjs');
const CONTENDERS = [droverContender, reusePortContender, clusterContender, pm2Contender];
const MODES = ['kept', 'new'] as const;
const CONNECTIONS = 64;

interface Rate {
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
  readonly lost: number;
}

type Mode = (typeof MODES)[number];
/** By contender, in each round. */
type Rates = ReadonlyMap<string, readonly Readonly<Record<Mode, Rate>>[]>;

export const throughput: Campaign = {
  name: 'throughput',
  shows: 'requests per second and CPU per request against reusePort, node:cluster and pm2',
  run: async (run) => {
    const missing = provide({ needs: [WRK], packages: ['bench'] }, ROOT, (line) => run.say(line));
    if (missing.length > 0) throw new Error(missing.join(', '));
    const rounds = run.isSmall ? 1 : 5;
    for (const workers of run.isSmall ? [2] : [2, 4]) {
      const all = new Map<string, Record<Mode, Rate>[]>(CONTENDERS.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const contender of CONTENDERS) {
          const key = `${contender.name}, ${workers} workers, round ${round}`;
          all
            .get(contender.name)
            ?.push(await run.row(key, async () => measure(contender, workers, run.isSmall ? 2 : 4)));
        }
      }
      report(run, workers, all);
    }
  },
};

async function measure(contender: Contender, workers: number, seconds: number): Promise<Record<Mode, Rate>> {
  const port = await freePort();
  await using app = await contender.start({ script: SCRIPT, workers, port });
  const rate = async (mode: Mode): Promise<Rate> => {
    await runWrk({ port, connections: CONNECTIONS, seconds: 1, mode });
    const pids = [...(await app.listWorkers()), ...(await app.listManagers())];
    const cpuBefore = readCpuMs(pids);
    const { answered, seconds: took, errors } = await runWrk({ port, connections: CONNECTIONS, seconds, mode });
    const cpuMs = readCpuMs(pids) - cpuBefore;
    return { perSecond: answered / took, cpuUsPerRequest: (cpuMs * 1000) / answered, lost: errors };
  };
  return { kept: await rate('kept'), new: await rate('new') };
}

function report(run: CampaignRun, workers: number, rates: Rates): void {
  const values = (name: string, mode: Mode, of: keyof Rate): number[] =>
    (rates.get(name) ?? []).map((row) => row[mode][of]);
  run.table(
    [`${workers} workers`, 'kept-alive /s', 'CPU µs', 'new connections /s', 'CPU µs'],
    [...rates.keys()].map((name) => [
      name,
      ...MODES.flatMap((mode) => [
        fixed(median(values(name, mode, 'perSecond')), 0),
        fixed(median(values(name, mode, 'cpuUsPerRequest'))),
      ]),
    ]),
  );
  const ratio = (mode: Mode, of: keyof Rate, other: Contender): number =>
    medianRatio(values(droverContender.name, mode, of), values(other.name, mode, of));
  const atMost = (mode: Mode, other: Contender, limit: number): void => {
    const value = ratio(mode, 'cpuUsPerRequest', other);
    run.bound(
      `${workers} workers, ${mode}: CPU per request at most ${limit}× ${other.name}`,
      value <= limit,
      `${fixed(value, 2)}×`,
    );
  };
  const atLeast = (mode: Mode, other: Contender, limit: number): void => {
    const value = ratio(mode, 'perSecond', other);
    run.bound(
      `${workers} workers, ${mode}: requests/s at least ${limit}× ${other.name}`,
      value >= limit,
      `${fixed(value, 2)}×`,
    );
  };
  atMost('kept', reusePortContender, 1.05);
  atMost('new', clusterContender, 0.5);
  atMost('new', pm2Contender, 0.35);
  atLeast('kept', clusterContender, 0.95);
  atLeast('kept', pm2Contender, 1.2);
  atLeast('new', clusterContender, 2);
  atLeast('new', pm2Contender, 2.7);
  const lost = MODES.flatMap((mode) => values(droverContender.name, mode, 'lost')).reduce((sum, one) => sum + one, 0);
  run.check(`${workers} workers: no errors`, lost === 0, `${lost} errors`);
}
