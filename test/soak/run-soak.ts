/**
 * A soak: rounds of everything at once under a light load, each with a quiet point at its end, for as long as asked.
 * Looked at from outside are the daemon and the workers of an app that is left alone. The daemon is killed once before
 * the first round, so that the one that is measured has taken everything over from another, and never again: its
 * successor would begin with an empty heap, and no leak could be seen in it.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { openDrover } from '../support/drover.ts';
import { ACTIVITIES } from './activities.ts';
import { startApps, STEADY, WORKERS } from './apps.ts';
import { openInspector } from './inspector.ts';
import { awaitQuiet } from './quiet.ts';
import { playRound, type RoundResult, type Scene } from './round.ts';
import { startSampler } from './sampler.ts';
import type { HoldingsFrom, SoakedProcess, SoakResult } from './soak-result.ts';

export interface SoakWish {
  readonly rounds: number;
  /** At least, of a round after the warm-up. */
  readonly roundSeconds: number;
  /** MB that the workers of an app print in each round. */
  readonly floodMegabytes: number;
  /** Collect garbage at each quiet point; otherwise only at the one that ends the warm-up, and at the last. */
  readonly collects: boolean;
  readonly warmUpRounds: number;
  /** Those without pauses, at the beginning. */
  readonly quickRounds: number;
  readonly onRound: (line: string) => void;
}

export async function runSoak(wish: SoakWish): Promise<SoakResult> {
  await using drover = await openDrover();
  await drover.run(['daemon', 'start'], { env: { NODE_OPTIONS: '--inspect-port=0' } });
  const ports = await startApps(drover);
  const { pid } = await drover.killDaemon();
  if (pid === null) throw new Error('no daemon is running');
  const workers = await drover.pids(STEADY);
  const pids: Scene['pids'] = [pid, ...workers];
  using inspector = await openInspector(pid, join(drover.home, 'daemon.log'));
  using sampler = startSampler(pids);
  const { floodMegabytes } = wish;
  const startedMs = performance.now();
  const scene: Scene = { drover, ports, pids, inspector, sampler, startedMs, floodMegabytes };
  const rounds: RoundResult[] = [];
  for (let round = 0; round < wish.rounds; round += 1) {
    const collects = wish.collects || round === wish.warmUpRounds || round === wish.rounds - 1;
    const leastSeconds = round < wish.quickRounds ? 0 : wish.roundSeconds;
    const result = await playRound(scene, { round, leastSeconds, collects });
    rounds.push(result);
    wish.onRound(`round ${round + 1} of ${wish.rounds}: ${describe(result)}`);
  }
  const minutes = (performance.now() - startedMs) / 60_000;
  const areSameProcesses = (await drover.daemon()).pid === pid && (await drover.pids(STEADY)).join() === workers.join();
  await drover.killDaemon();
  await drover.untilReady(STEADY, WORKERS.steady);
  return {
    minutes,
    warmUpRounds: wish.warmUpRounds,
    daemon: processOf('daemon', rounds, 0),
    workers: workers.map((_, slot) => processOf(`${STEADY}/${slot}`, rounds, slot + 1)),
    workersAfterKill: await awaitQuiet(workers),
    areSameProcesses,
    answered: rounds.reduce((sum, { traffic }) => sum + traffic.answered, 0),
    lostWithKilled: rounds.reduce((sum, { traffic }) => sum + traffic.lostWithKilled, 0),
    lostUnexplained: rounds.flatMap(({ traffic }) => traffic.lostUnexplained),
    activities: Object.keys(ACTIVITIES),
  };
}

/** `index`: of its pid. */
function processOf(name: string, rounds: readonly RoundResult[], index: number): SoakedProcess {
  const holdings: HoldingsFrom[] = [];
  for (const [round, result] of rounds.entries()) {
    const now = result.holdings[index];
    if (now === undefined) throw new Error(`${name} was not looked at in round ${round + 1}`);
    const last = holdings.at(-1);
    const isSame = last !== undefined && isDeepStrictEqual({ ...now, fromRound: last.fromRound }, last);
    if (!isSame) holdings.push({ ...now, fromRound: round });
  }
  return { name, points: rounds.flatMap(({ points }) => points.slice(index, index + 1)), holdings };
}

function describe({ traffic, points }: RoundResult): string {
  const mb = (bytes: number | null | undefined): string => (bytes ? (bytes / 1e6).toFixed(1) : '–');
  const [daemon] = points;
  return (
    `${traffic.answered} answered; daemon ${mb(daemon?.privateDirtyBytes)} MB private and dirty, ` +
    `${mb(daemon?.restingBytes)} at rest, ${mb(daemon?.aliveBytes)} alive`
  );
}
