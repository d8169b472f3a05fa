/**
 * Requests per second, and CPU per request, of a hello-world: kept-alive and with a new connection each, against bare
 * processes with `reusePort`, node:cluster and pm2 in the same run. CPU per request counts all
 * processes of a contender, managers included.
 */
import { join } from 'node:path';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import type { Contender, RunningApp } from '../../bench/contenders/contender.ts';
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

/** The apps are started anew so often, because where connections happen to land lasts as long as the processes. */
const STARTS = 3;
const TURNS = 5;

interface Rate {
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
  readonly lost: number;
}

type Mode = (typeof MODES)[number];
/** By contender's name, in each turn. */
type Rates = Readonly<Record<string, readonly Rate[]>>;

export const throughput: Campaign = {
  name: 'throughput',
  shows: 'requests per second and CPU per request against reusePort, node:cluster and pm2',
  run: async (run) => {
    const missing = provide({ needs: [WRK], packages: ['bench'] }, ROOT, (line) => run.say(line));
    if (missing.length > 0) throw new Error(missing.join(', '));
    const starts = run.isSmall ? 1 : STARTS;
    for (const workers of run.isSmall ? [2] : [2, 4]) {
      for (const mode of MODES) {
        const measured: Rates[] = [];
        for (let start = 0; start < starts; start++) {
          const key = `${workers} workers, ${mode}, start ${start}`;
          measured.push(await run.row(key, async () => measure(workers, mode, run.isSmall ? 1 : TURNS)));
        }
        report(run, workers, mode, joined(measured));
      }
    }
  },
};

/** Everybody runs all the time and is loaded for a second in turn: a machine that slows down slows all of them. */
async function measure(workers: number, mode: Mode, turns: number): Promise<Rates> {
  await using running = new AsyncDisposableStack();
  const apps: { name: string; port: number; app: RunningApp }[] = [];
  for (const { name, start } of CONTENDERS) {
    const port = await freePort();
    apps.push({ name, port, app: running.use(await start({ script: SCRIPT, workers, port })) });
  }
  const load = { connections: CONNECTIONS, seconds: 1, mode };
  for (const { port } of apps) await runWrk({ ...load, port, seconds: 2 });
  const rates = Object.fromEntries(apps.map(({ name }): [string, Rate[]] => [name, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, port, app } of turn % 2 === 0 ? apps : apps.toReversed()) {
      const pids = [...(await app.listWorkers()), ...(await app.listManagers())];
      const cpuBefore = readCpuMs(pids);
      const { answered, seconds, errors } = await runWrk({ ...load, port });
      const cpuUsPerRequest = ((readCpuMs(pids) - cpuBefore) * 1000) / answered;
      rates[name]?.push({ perSecond: answered / seconds, cpuUsPerRequest, lost: errors });
    }
  }
  return rates;
}

/** The turns of all starts in a row. */
const joined = (measured: readonly Rates[]): Rates =>
  Object.fromEntries(CONTENDERS.map(({ name }) => [name, measured.flatMap((rates) => rates[name] ?? [])]));

interface Limit {
  readonly of: 'perSecond' | 'cpuUsPerRequest';
  readonly other: Contender;
  readonly limit: number;
}

const LIMITS: Readonly<Record<Mode, readonly Limit[]>> = {
  kept: [
    { of: 'cpuUsPerRequest', other: reusePortContender, limit: 1.05 },
    { of: 'perSecond', other: clusterContender, limit: 0.95 },
    { of: 'perSecond', other: pm2Contender, limit: 1.2 },
  ],
  new: [
    { of: 'cpuUsPerRequest', other: clusterContender, limit: 0.5 },
    { of: 'cpuUsPerRequest', other: pm2Contender, limit: 0.35 },
    { of: 'perSecond', other: clusterContender, limit: 2 },
    { of: 'perSecond', other: pm2Contender, limit: 2.7 },
  ],
};

function report(run: CampaignRun, workers: number, mode: Mode, rates: Rates): void {
  const values = (name: string, of: keyof Rate): number[] => (rates[name] ?? []).map((rate) => rate[of]);
  run.table(
    [`${workers} workers, ${mode}`, 'per second', 'CPU µs'],
    CONTENDERS.map(({ name }) => [
      name,
      fixed(median(values(name, 'perSecond')), 0),
      fixed(median(values(name, 'cpuUsPerRequest'))),
    ]),
  );
  for (const { of, other, limit } of LIMITS[mode]) {
    const ratio = ({ name }: Contender): number => medianRatio(values(name, of), values(other.name, of));
    const value = ratio(droverContender);
    const what = of === 'perSecond' ? `requests/s at least ${limit}×` : `CPU per request at most ${limit}×`;
    // What processes without any manager or agent reach says how much of a missed bound is Drover's.
    const beside = other === reusePortContender ? '' : `; bare reusePort ${fixed(ratio(reusePortContender), 2)}×`;
    run.bound(
      `${workers} workers, ${mode}: ${what} ${other.name}`,
      of === 'perSecond' ? value >= limit : value <= limit,
      `${fixed(value, 2)}×${beside}`,
    );
  }
  const lost = values(droverContender.name, 'lost').reduce((sum, one) => sum + one, 0);
  run.check(`${workers} workers, ${mode}: no errors`, lost === 0, `${lost} errors`);
}
