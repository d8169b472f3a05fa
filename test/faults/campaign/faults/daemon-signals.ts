/** The daemon and its guard killed and frozen: the workers are the same ones afterwards, and nobody has acted rashly. */
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import { isAlive, readProgram } from '../../../support/processes.ts';
import { READY_TIMEOUT_MS } from '../apps.ts';
import { auditApp } from '../audit.ts';
import { type Fault, type Place, pick, Violation } from '../fault.ts';
import { begin, carryOut, untilEnded } from '../operations.ts';
import type { World } from '../world.ts';

const daemon = (name: string, times: number, inject: Fault['inject'], more: Partial<Fault> = {}): Fault => ({
  name,
  family: 'daemon',
  scope: 'daemon',
  times,
  inject,
  ...more,
});

/** The longest that the daemon waits for a sign of life of anybody: a draining worker's timeout and what follows it. */
const FROZEN_MS = 10_000;
/** How long an agent may stay silent after a start of the daemon; nothing may be done to its worker before that. */
const THRESHOLD_MS = 5000;

async function withSameWorkers(world: World, work: () => Promise<void>): Promise<void> {
  const before = await world.allPids();
  await work();
  const after = await world.allPids();
  for (const [app, pids] of before) {
    if (after.get(app)?.join() !== pids.join())
      throw new Violation(`the workers of ${app} were ${pids.join()} and are ${after.get(app)?.join()}`);
  }
}

/** Ends the daemon and waits for the next one. */
async function kill(world: World, signal: NodeJS.Signals): Promise<void> {
  const pid = await world.daemonPid();
  const workers = [...(await world.allPids()).values()].flat();
  process.kill(pid, signal);
  await world.untilBack(pid, workers);
}

const killedBy =
  (signal: NodeJS.Signals): Fault['inject'] =>
  async ({ world }) =>
    withSameWorkers(world, async () => kill(world, signal));

const frozen = async (world: World, ms: number): Promise<void> => {
  const pid = await world.daemonPid();
  process.kill(pid, 'SIGSTOP');
  await wait(ms);
  process.kill(pid, 'SIGCONT');
};

/** For one full threshold nobody is judged by what could not be heard meanwhile. */
async function assertPatient(world: World): Promise<void> {
  await wait(THRESHOLD_MS);
  const rash = await Promise.all(world.all.map(async (app) => auditApp(world, app, [])));
  if (rash.flat().length > 0) throw new Violation(`within one threshold: ${rash.flat().join('; ')}`);
}

export const DAEMON_SIGNALS: readonly Fault[] = [
  daemon('daemon killed', 3, killedBy('SIGKILL')),
  daemon('daemon ended by SIGSEGV', 1, killedBy('SIGSEGV')),
  daemon('daemon ended by SIGABRT', 1, killedBy('SIGABRT')),
  daemon('daemon killed three times in a row', 1, async ({ world }) =>
    withSameWorkers(world, async () => {
      for (let count = 0; count < 3; count++) await kill(world, 'SIGKILL');
    }),
  ),
  daemon('daemon killed at once again, while it starts', 1, async ({ world }) =>
    withSameWorkers(world, async () => {
      const [pid, guard] = [await world.daemonPid(), await world.guardPid()];
      const workers = [...(await world.allPids()).values()].flat();
      process.kill(pid, 'SIGKILL');
      // The guard becomes the next daemon, with its own pid; or ends, where another was just taking its place.
      await eventually('the guard begins to be a daemon, or ends', () => !isAlive(guard) || !isShell(guard), {
        everyMs: 2,
      });
      const isNext = isAlive(guard);
      if (isNext) process.kill(guard, 'SIGKILL');
      await world.untilBack(isNext ? guard : pid, workers);
    }),
  ),
  daemon('daemon frozen for a second', 1, async ({ world }) => withSameWorkers(world, async () => frozen(world, 1000))),
  daemon(
    'daemon frozen beyond every threshold',
    1,
    async ({ world }) =>
      withSameWorkers(world, async () => {
        await frozen(world, FROZEN_MS);
        await assertPatient(world);
      }),
    { isLong: true },
  ),
  daemon('daemon frozen beyond the start timeout, while a reload boots', 1, async ({ world, app }) => {
    app.wishForBoots('slow');
    const operation = await begin(world, app, 'reload');
    await eventually('the replacements start', async () => (await app.document()).workers.length > app.instances);
    await frozen(world, READY_TIMEOUT_MS + 2000);
    app.wishForBoots(null);
    const { outcome, reason } = await untilEnded(world, operation);
    if (outcome !== 'completed') throw new Violation(`the reload ${outcome}: ${reason}`);
  }),
  daemon(
    'daemon frozen just after it was brought back',
    1,
    async ({ world }) =>
      withSameWorkers(world, async () => {
        await kill(world, 'SIGKILL');
        await frozen(world, THRESHOLD_MS + 1000);
        await assertPatient(world);
      }),
    { isLong: true },
  ),
  daemon('guard killed', 2, async ({ world }) =>
    withSameWorkers(world, async () => {
      const guard = await world.guardPid();
      process.kill(guard, 'SIGKILL');
      await eventually('another guard stands', async () => (await world.guardPid()) !== guard);
    }),
  ),
  daemon('guard killed, then the daemon', 1, async ({ world }) =>
    withSameWorkers(world, async () => {
      const guard = await world.guardPid();
      process.kill(guard, 'SIGKILL');
      await eventually('another guard stands', async () => (await world.guardPid()) !== guard);
      await kill(world, 'SIGKILL');
    }),
  ),
  daemon('guard and daemon killed together', 2, async ({ world }) =>
    withSameWorkers(world, async () => killBoth(world)),
  ),
  daemon('worker dead while the daemon is down', 2, async (place) => killDuringAbsence(place, 1)),
  daemon('all workers of an app dead while the daemon is down', 1, async (place) =>
    killDuringAbsence(place, place.app.instances),
  ),
  daemon('daemon killed, then a reload at once', 2, async ({ world, app }) => {
    process.kill(await world.daemonPid(), 'SIGKILL');
    await carryOut(world, app, 'reload');
  }),
  daemon('worker and daemon killed together', 2, async ({ world, app, random }) => {
    const pid = pick(random, await app.pids());
    const daemonPid = await world.daemonPid();
    const others = [...(await world.allPids()).values()].flat().filter((each) => each !== pid);
    world.deaths.kill(app.name, pid);
    process.kill(daemonPid, 'SIGKILL');
    await world.untilBack(daemonPid, others);
  }),
];

/** Nobody is left who would bring it back: somebody has to start it. */
async function killBoth(world: World): Promise<void> {
  const [pid, guard] = [await world.daemonPid(), await world.guardPid()];
  const workers = [...(await world.allPids()).values()].flat();
  // First the guard, which would only begin to start a daemon; it is stopped, so that no other takes its place.
  process.kill(pid, 'SIGSTOP');
  process.kill(guard, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  const diedAt = performance.now();
  await world.startDaemon();
  await world.untilBack(pid, workers, diedAt);
}

/** The guard is held, so that it does not bring a daemon back before the workers are dead; it keeps their sockets. */
async function killDuringAbsence({ world, app, random }: Place, count: number): Promise<void> {
  const pids = await app.pids();
  const victims = count === 1 ? [pick(random, pids)] : pids;
  const others = [...(await world.allPids()).values()].flat().filter((pid) => !victims.includes(pid));
  const [pid, guard] = [await world.daemonPid(), await world.guardPid()];
  process.kill(guard, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  for (const victim of victims) world.deaths.kill(app.name, victim);
  process.kill(guard, 'SIGCONT');
  await world.untilBack(pid, others);
}

const isShell = (pid: number): boolean => readProgram(pid) === 'sh';
