/** One round: the load begins, everything is done once, the load ends, and at the quiet point all is looked at. */
import { setTimeout as wait } from 'node:timers/promises';
import { readMemory } from '../../bench/processes.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/service.ts';
import { ACTIVITIES } from './activities.ts';
import type { Ports } from './apps.ts';
import type { Inspector } from './inspector.ts';
import { awaitQuiet, type Holdings } from './quiet.ts';
import type { Sample, Sampler } from './sampler.ts';
import { middleOf } from './slope.ts';
import type { RoundPoint } from './soak-result.ts';
import { type Kill, startTraffic, stopTraffic, type TrafficCount } from './traffic.ts';

export interface Scene {
  readonly drover: Drover;
  readonly ports: Ports;
  /** Of the daemon, then of the workers that are left alone. */
  readonly pids: readonly [daemon: number, ...workers: number[]];
  /** Of the daemon. */
  readonly inspector: Inspector;
  readonly sampler: Sampler;
  readonly startedMs: number;
  readonly floodMegabytes: number;
}

export interface RoundWish {
  /** From 0. */
  readonly round: number;
  /** It goes on for at least so long, under load. */
  readonly leastSeconds: number;
  /** Collect garbage at the quiet point, and measure what is alive. */
  readonly collects: boolean;
}

export interface RoundResult {
  readonly traffic: TrafficCount;
  /** In the order of the pids. */
  readonly points: readonly RoundPoint[];
  readonly holdings: readonly Holdings[];
}

const MS_PER_HOUR = 3_600_000;
/** Of a round, without load. */
const QUIET_MS = 8_000;
const TRIMMED_WITHIN_MS = 3_000;

export async function playRound(scene: Scene, wish: RoundWish): Promise<RoundResult> {
  const { pids, ports, inspector, sampler } = scene;
  const seen = sampler.samples.length;
  const traffic = await playUnderLoad(scene, wish);
  const samples = sampler.samples.slice(seen);
  const holdings = await awaitQuiet(pids);
  const [, ...workers] = pids;
  const alive = wish.collects ? await measureAlive(inspector, ports, workers) : [];
  const resting = wish.collects ? await measureAtRest(pids) : [];
  const atHours = (performance.now() - scene.startedMs) / MS_PER_HOUR;
  const points = pids.map((pid, index) => ({
    atHours,
    ...mediansOf(samples.filter((sample) => sample.pid === pid)),
    ...(alive[index] ?? { aliveBytes: null, codeBytes: null }),
    restingBytes: resting[index] ?? null,
  }));
  return { traffic, points, holdings };
}

async function playUnderLoad(scene: Scene, { round, leastSeconds }: RoundWish): Promise<TrafficCount> {
  const { drover, ports, floodMegabytes } = scene;
  const quietAt = performance.now() + leastSeconds * 1_000 - QUIET_MS;
  const loads = await startTraffic(ports);
  const kills: Kill[] = [];
  try {
    for (const [name, activity] of Object.entries(ACTIVITIES)) {
      try {
        await activity({ drover, ports, round, kills, floodMegabytes });
      } catch (error) {
        throw new Error(`round ${round + 1}: ${name}`, { cause: error });
      }
    }
    await wait(Math.max(0, quietAt - performance.now()));
  } catch (error) {
    await stopTraffic(loads, kills);
    throw error;
  }
  return stopTraffic(loads, kills);
}

function mediansOf(samples: readonly Sample[]): Pick<Sample, 'rssBytes' | 'pssBytes' | 'privateDirtyBytes'> {
  const median = (read: (sample: Sample) => number): number => middleOf(samples.map(read).toSorted((a, b) => a - b));
  return {
    rssBytes: median(({ rssBytes }) => rssBytes),
    pssBytes: median(({ pssBytes }) => pssBytes),
    privateDirtyBytes: median(({ privateDirtyBytes }) => privateDirtyBytes),
  };
}

type Left = Pick<RoundPoint, 'aliveBytes' | 'codeBytes'>;

async function measureAlive(inspector: Inspector, ports: Ports, workers: readonly number[]): Promise<Left[]> {
  const daemon = await inspector.measureAlive();
  return [daemon, ...(await measureWorkers(ports, workers)).map((aliveBytes) => ({ aliveBytes, codeBytes: null }))];
}

/** After a collection: by then the daemon has given back what is free (`daemon/stay-small.ts`). */
async function measureAtRest(pids: readonly number[]): Promise<number[]> {
  await wait(TRIMMED_WITHIN_MS);
  return pids.map((pid) => readMemory([pid]).privateDirtyBytes);
}

/** Asks until each of them has answered: the kernel chooses who does. */
async function measureWorkers(ports: Ports, pids: readonly number[]): Promise<number[]> {
  const alive = new Map<number, number>();
  await eventually('every worker says what is alive in it', async () => {
    const { body } = await ask(ports.steady, '/memory');
    const { pid, heapUsed, arrayBuffers } = JSON.parse(body) as Record<'pid' | 'heapUsed' | 'arrayBuffers', number>;
    alive.set(pid, heapUsed + arrayBuffers);
    return pids.every((one) => alive.has(one));
  });
  return pids.map((pid) => alive.get(pid) ?? Number.NaN);
}
