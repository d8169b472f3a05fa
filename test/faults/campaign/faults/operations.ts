/** The daemon killed at every named step of a change, and at random moments of it: the change ends, once, as it should. */
import { setTimeout as wait } from 'node:timers/promises';
import { NAMED_STEPS, type NamedStep } from '../../../../src/daemon/named-steps.ts';
import type { AppUnderLoad } from '../app-under-load.ts';
import { type Fault, type Place, Violation } from '../fault.ts';
import { begin, carryOut, CHANGES, type Change, noteDone, untilEnded } from '../operations.ts';
import type { World } from '../world.ts';

const BEGINNING: readonly NamedStep[] = [
  'operation-beginning',
  'operation-begun',
  'operation-recorded',
  'operation-advanced',
];
const BOOTING: readonly NamedStep[] = [
  'process-announced',
  'process-started',
  'process-noted',
  'phase-noted',
  'traffic-attached',
];
const LEAVING: readonly NamedStep[] = ['phase-noted', 'traffic-detached', 'worker-removed'];
const ENDING: readonly NamedStep[] = ['operation-ending', 'operation-ended', 'operation-settled'];

/** By which steps each change comes. */
export const STEPS_OF: Readonly<Record<Change, readonly NamedStep[]>> = {
  reload: NAMED_STEPS,
  'scale up': [...BEGINNING, ...BOOTING, ...ENDING],
  'scale down': [...BEGINNING, ...LEAVING, ...ENDING],
  restart: [...new Set([...BEGINNING, ...BOOTING, ...LEAVING, ...ENDING])],
  start: [...BEGINNING, ...BOOTING, ...ENDING],
  stop: [...BEGINNING, ...LEAVING, ...ENDING],
};

/** A reload or restart of two workers comes by a step of one worker as often. */
const MOST_TIMES = 2;
/** About as long as a change takes, so that every moment of it can be hit. */
const LATEST_KILL_MS = 1200;

/** Stopping refuses requests: only the app without a load is stopped. */
export const subjectOf = (place: Place, change: Change): AppUnderLoad =>
  change === 'start' || change === 'stop' ? place.world.spare : place.app;

/** Brings the app into the state in which the change can be made, and afterwards back into the usual one. */
export async function prepare(world: World, app: AppUnderLoad, change: Change): Promise<void> {
  if (change === 'start' && app.isWanted) await carryOut(world, app, 'stop');
  if (change === 'stop' && !app.isWanted) await carryOut(world, app, 'start');
  if (change === 'scale down' && app.instances <= app.facts.instances) await carryOut(world, app, 'scale up');
  if (change === 'scale up' && app.instances > app.facts.instances) await carryOut(world, app, 'scale down');
}

/** Each change as often as it has steps: played through, the daemon has died at every one. */
export const AT_EVERY_STEP: readonly Fault[] = CHANGES.map((change): Fault => {
  const steps = STEPS_OF[change];
  return {
    name: `daemon killed at a step of ${change}`,
    family: 'operations',
    scope: 'daemon',
    times: steps.length,
    isLong: change !== 'reload' && change !== 'scale down',
    async inject(place) {
      const { world, random } = place;
      const app = subjectOf(place, change);
      await prepare(world, app, change);
      const step = steps[world.nextStep(change) % steps.length] ?? 'operation-advanced';
      // A scaling changes one worker.
      const isOfWorkers = !step.startsWith('operation-') && app.instances > 1 && !change.startsWith('scale');
      const time = isOfWorkers ? 1 + Math.floor(random() * MOST_TIMES) : 1;
      const pid = await world.daemonPid();
      world.wishDeath(app.name, step, time);
      try {
        await carryOut(world, app, change);
        if (world.isDeathOutstanding) throw new Violation(`${change} never came by ${step} #${time}`);
        if ((await world.daemonPid()) === pid) throw new Violation(`no daemon died at ${step} #${time}`);
        world.noteStep(`${change}: ${step}`);
      } catch (error) {
        throw new Violation(`killed at ${step} #${time} of ${change}: ${(error as Error).message}`, { cause: error });
      } finally {
        world.callOffDeath();
      }
    },
  };
});

/** How many workers a change has to start. */
const STARTED_BY: Readonly<Record<Change, (instances: number) => number>> = {
  reload: (instances) => instances,
  'scale up': () => 1,
  'scale down': () => 0,
  restart: (instances) => instances,
  start: (instances) => instances,
  stop: () => 0,
};

async function findLastSeq(world: World, { name }: AppUnderLoad): Promise<number> {
  let last = 0;
  for await (const { seq } of world.client.events({ app: name, limit: 1 })) last = seq;
  return last;
}

async function countSpawned(world: World, { name }: AppUnderLoad, afterSeq: number): Promise<number> {
  let count = 0;
  for await (const { type } of world.client.events({ app: name, afterSeq, limit: 1000 }))
    if (type === 'worker-spawned') count += 1;
  return count;
}

/** Kills it at a random moment of the change; returns when the change has ended, with the workers that it was to start. */
export async function killDuring(place: Place, change: Change): Promise<void> {
  const { world, random } = place;
  const app = subjectOf(place, change);
  await prepare(world, app, change);
  const others = world.all.filter((each) => each !== app);
  const bystanders = (await Promise.all(others.map(async (each) => each.pids()))).flat();
  const afterMs = random() * LATEST_KILL_MS;
  const lastSeq = await findLastSeq(world, app);
  const wanted = STARTED_BY[change](app.instances);
  const operation = await begin(world, app, change);
  await wait(afterMs);
  const pid = await world.daemonPid();
  process.kill(pid, 'SIGKILL');
  await world.untilBack(pid, bystanders);
  const { outcome, reason } = await untilEnded(world, operation);
  if (outcome !== 'completed')
    throw new Violation(`${change}, killed after ${afterMs.toFixed(0)} ms, ${outcome}: ${reason}`);
  noteDone(app, change);
  const started = await countSpawned(world, app, lastSeq);
  if (started > wanted) throw new Violation(`${change} started ${started} workers, and ${wanted} were enough`);
  const after = (await Promise.all(others.map(async (each) => each.pids()))).flat();
  if (after.join() !== bystanders.join()) throw new Violation('workers of other apps were restarted');
}

/** At random moments; `test/campaigns/daemon-kill-operations.ts` has nothing but these. */
export const DURING_OPERATIONS: readonly Fault[] = CHANGES.map((change) => ({
  name: `daemon killed during ${change}`,
  family: 'operations',
  scope: 'daemon',
  times: 1,
  isLong: change === 'start' || change === 'stop' || change === 'scale up',
  inject: async (place) => killDuring(place, change),
}));

/** Among all others not every step can have its turn. */
const SOME_STEPS: readonly Fault[] = AT_EVERY_STEP.map((fault) => ({ ...fault, times: 3 }));

export const OPERATIONS: readonly Fault[] = [...SOME_STEPS, ...DURING_OPERATIONS];
