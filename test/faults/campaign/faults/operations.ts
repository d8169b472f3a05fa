/** The daemon killed at every named step of a change, and at random moments of it: the change ends, once, as it should. */
import { setTimeout as wait } from 'node:timers/promises';
import { NAMED_STEPS, type NamedStep } from '../../../../src/daemon/named-steps.ts';
import type { AppUnderLoad } from '../app-under-load.ts';
import { type Fault, type Place, Violation } from '../fault.ts';
import { begin, carryOut, CHANGES, type Change, noteDone, untilEnded } from '../operations.ts';
import type { World } from '../world.ts';

const BEGINNING: readonly NamedStep[] = ['operation-beginning', 'operation-begun', 'operation-advanced'];
const BOOTING: readonly NamedStep[] = [
  'process-announced',
  'process-started',
  'process-noted',
  'phase-noted',
  'traffic-attached',
];
const LEAVING: readonly NamedStep[] = ['phase-noted', 'traffic-detached', 'worker-removed'];
const ENDING: readonly NamedStep[] = ['operation-ending', 'operation-ended'];

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

const stepFaults = CHANGES.map((change): Fault => {
  const steps = STEPS_OF[change];
  return {
    name: `daemon killed at a step of ${change}`,
    family: 'operations',
    scope: 'daemon',
    times: 4,
    async inject(place) {
      const { world, random } = place;
      const app = subjectOf(place, change);
      await prepare(world, app, change);
      const step = steps[world.nextStep(change) % steps.length] ?? 'operation-advanced';
      const isOfWorker = !step.startsWith('operation-') && app.instances > 1;
      const time = isOfWorker ? 1 + Math.floor(random() * MOST_TIMES) : 1;
      const pid = await world.daemonPid();
      world.wishDeath(app.name, step, time);
      try {
        await carryOut(world, app, change);
        if (world.isDeathOutstanding) throw new Violation(`${change} never came by ${step} #${time}`);
        await world.untilBack(pid, []);
        world.noteStep(`${change}: ${step}`);
      } catch (error) {
        throw new Violation(`killed at ${step} #${time} of ${change}: ${(error as Error).message}`, { cause: error });
      } finally {
        world.callOffDeath();
      }
    },
  };
});

/** Kills it `afterMs` into the change; returns when the change has ended. */
export async function killDuring(place: Place, change: Change): Promise<void> {
  const { world, random } = place;
  const app = subjectOf(place, change);
  await prepare(world, app, change);
  const afterMs = random() * LATEST_KILL_MS;
  const operation = await begin(world, app, change);
  await wait(afterMs);
  const pid = await world.daemonPid();
  process.kill(pid, 'SIGKILL');
  await world.untilBack(pid, []);
  const { outcome, reason } = await untilEnded(world, operation);
  if (outcome !== 'completed')
    throw new Violation(`${change}, killed after ${afterMs.toFixed(0)} ms, ${outcome}: ${reason}`);
  noteDone(app, change);
}

export const OPERATIONS: readonly Fault[] = [
  ...stepFaults,
  ...CHANGES.map((change): Fault => ({
    name: `daemon killed during ${change}`,
    family: 'operations',
    scope: 'daemon',
    times: 1,
    inject: async (place) => killDuring(place, change),
  })),
];
