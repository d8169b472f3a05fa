/**
 * Changes as a program makes them that knows that the daemon may die at any moment: what was asked for is looked up
 * before it is asked for again, and its end is waited for by its id.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { DroverClient } from '../../../src/client/index.ts';
import { DroverError, type OperationDocument, type ReceiptDocument } from '../../../src/protocol/index.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import { Violation } from './fault.ts';
import type { World } from './world.ts';

export type Change = 'reload' | 'scale up' | 'scale down' | 'restart' | 'start' | 'stop';
export const CHANGES: readonly Change[] = ['reload', 'scale up', 'scale down', 'restart', 'start', 'stop'];

const KINDS = {
  reload: 'reload',
  'scale up': 'scale',
  'scale down': 'scale',
  restart: 'restart',
  start: 'start',
  stop: 'stop',
} as const;
const BEGUN_WITHIN_MS = 30_000;
const ENDED_WITHIN_MS = 60_000;
const PAUSE_MS = 20;

/** Begins the change and returns its operation, also when the daemon dies while it is asked. */
export async function begin(world: World, app: AppUnderLoad, change: Change): Promise<OperationDocument> {
  const known = new Set((await patiently(async () => world.client.operations(app.name))).map(({ id }) => id));
  const deadline = performance.now() + BEGUN_WITHIN_MS;
  for (;;) {
    try {
      const [operation] = await ASK[change](world.client, app);
      if (operation === undefined) throw new Violation(`${change} of ${app.name} began nothing`);
      return operation;
    } catch (error) {
      if (!isAbsence(error) && !(error instanceof DroverError && error.code === 'DROVER_BUSY')) throw error;
      const begun = (await patiently(async () => world.client.operations(app.name))).find(
        ({ id, kind }) => kind === KINDS[change] && !known.has(id),
      );
      if (begun !== undefined) return begun;
      if (performance.now() > deadline) throw new Violation(`${change} of ${app.name} never began`, { cause: error });
      await wait(PAUSE_MS);
    }
  }
}

const ASK: Readonly<
  Record<Change, (client: DroverClient, app: AppUnderLoad) => Promise<readonly OperationDocument[]>>
> = {
  reload: async (client, { name }) => client.reload(name, null),
  'scale up': async (client, { name, instances }) => client.scale(name, { to: instances + 1 }),
  'scale down': async (client, { name, instances }) => client.scale(name, { to: instances - 1 }),
  restart: async (client, { name }) => client.restart(name, null),
  start: async (client, { name }) => client.startStopped(name, null),
  stop: async (client, { name }) => client.stop(name),
};

/** Waits for the end, through deaths of the daemon. */
export async function untilEnded(world: World, { id, kind }: OperationDocument): Promise<ReceiptDocument> {
  const deadline = performance.now() + ENDED_WITHIN_MS;
  for (;;) {
    const { status, receipt } = await patiently(async () => world.client.operation(id));
    if (status === 'done' && receipt !== null) return receipt;
    if (performance.now() > deadline) throw new Violation(`${kind} ${id} has no end`);
    await wait(PAUSE_MS);
  }
}

/** The whole change; what the app should be afterwards is noted. It must succeed. */
export async function carryOut(world: World, app: AppUnderLoad, change: Change): Promise<ReceiptDocument> {
  const receipt = await untilEnded(world, await begin(world, app, change));
  if (receipt.outcome !== 'completed')
    throw new Violation(`${change} of ${app.name} ${receipt.outcome}: ${receipt.reason}`);
  noteDone(app, change);
  return receipt;
}

export function noteDone(app: AppUnderLoad, change: Change): void {
  if (change === 'scale up') app.instances += 1;
  if (change === 'scale down') app.instances -= 1;
  if (change === 'stop') app.isWanted = false;
  if (change === 'start') app.isWanted = true;
}

/** Asks until somebody answers. */
export async function patiently<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + BEGUN_WITHIN_MS;
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (!isAbsence(error) || performance.now() > deadline) throw error;
      await wait(PAUSE_MS);
    }
  }
}

const isAbsence = (error: unknown): boolean =>
  error instanceof DroverError && (error.code === 'DROVER_DAEMON_UNREACHABLE' || error.code === 'DROVER_TIMEOUT');
