/**
 * Requests per second, and CPU per request, of a hello-world: kept-alive and with a new connection each, against bare
 * processes with `reusePort`, node:cluster and pm2 in the same run. The load takes a core for itself, so CPU per request
 * is the sounder figure on a small machine.
 */
import { join } from 'node:path';
import { type Campaign, type CampaignRun, fixed, median } from '../../bench/campaign.ts';
import type { Contender } from '../../bench/contenders/contender.ts';
import { droverContender } from '../../bench/contenders/drover.ts';
import { clusterContender, reusePortContender } from '../../bench/contenders/node.ts';
import { pm2Contender } from '../../bench/contenders/pm2.ts';
import { readCpuMs } from '../../bench/processes.ts';
import { installPackage } from '../provisions.ts';
import { startLoad } from '../support/load/index.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const CONTENDERS = [droverContender, reusePortContender, clusterContender, pm2Contender];
const MODES = ['kept', 'new'] as const;
const CONNECTIONS = 64;

interface Rate {
  readonly perSecond: number;
  /** All processes of the contender, managers included. */
  readonly cpuUsPerRequest: number;
  readonly lost: number;
}

type Mode = (typeof MODES)[number];
type Rates = ReadonlyMap<string, Readonly<Record<Mode, Rate>>>;

export const throughput: Campaign = {
  name: 'throughput',
  shows: 'requests per second and CPU per request against reusePort, node:cluster and pm2',
  run: async (run) => {
    installPackage(join(import.meta.dirname, '../../bench'), 'bench', (line) => run.say(line));
    const rounds = run.isSmall ? 1 : 3;
    for (const workers of run.isSmall ? [2] : [2, 4]) {
      const all = new Map<string, Record<Mode, Rate>[]>(CONTENDERS.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const contender of CONTENDERS) {
          const key = `${contender.name}, ${workers} workers, round ${round}`;
          all
            .get(contender.name)
            ?.push(await run.row(key, async () => measure(contender, workers, run.isSmall ? 2 : 5)));
        }
      }
      const rates: Rates = new Map(
        [...all].map(([name, rows]) => [name, { kept: middle(rows, 'kept'), new: middle(rows, 'new') }]),
      );
      report(run, workers, rates);
    }
  },
};

const middle = (rows: readonly Readonly<Record<Mode, Rate>>[], mode: Mode): Rate => ({
  perSecond: median(rows.map((row) => row[mode].perSecond)),
  cpuUsPerRequest: median(rows.map((row) => row[mode].cpuUsPerRequest)),
  lost: Math.max(...rows.map((row) => row[mode].lost)),
});

async function measure(contender: Contender, workers: number, seconds: number): Promise<Record<Mode, Rate>> {
  const port = await freePort();
  await using app = await contender.start({ script: SCRIPT, workers, port });
  const rate = async (mode: Mode): Promise<Rate> => {
    const warmUp = await startLoad({ mode, port, connections: CONNECTIONS, seconds: 1 });
    await warmUp.report;
    const pids = [...(await app.listWorkers()), ...(await app.listManagers())];
    const cpuBefore = readCpuMs(pids);
    const load = await startLoad({ mode, port, connections: CONNECTIONS, seconds });
    const { answered, lost, durationMs } = await load.report;
    const cpuMs = readCpuMs(pids) - cpuBefore;
    return { perSecond: answered / (durationMs / 1000), cpuUsPerRequest: (cpuMs * 1000) / answered, lost };
  };
  return { kept: await rate('kept'), new: await rate('new') };
}

function report(run: CampaignRun, workers: number, rates: Rates): void {
  run.table(
    [`${workers} workers`, 'kept-alive /s', 'CPU µs', 'new connections /s', 'CPU µs'],
    [...rates].map(([name, { kept, new: fresh }]) => [
      name,
      fixed(kept.perSecond, 0),
      fixed(kept.cpuUsPerRequest),
      fixed(fresh.perSecond, 0),
      fixed(fresh.cpuUsPerRequest),
    ]),
  );
  const ratio = (mode: Mode, of: 'perSecond' | 'cpuUsPerRequest', other: Contender): number =>
    (rates.get(droverContender.name)?.[mode][of] ?? Number.NaN) / (rates.get(other.name)?.[mode][of] ?? Number.NaN);
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
  const { kept, new: fresh } = rates.get(droverContender.name) ?? {};
  const lost = (kept?.lost ?? 0) + (fresh?.lost ?? 0);
  run.check(`${workers} workers: nothing lost`, lost === 0, `${lost} lost`);
}
