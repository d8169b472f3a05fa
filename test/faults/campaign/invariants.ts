/**
 * What must hold whatever was done, in sentences and in code. Asked after each fault, once it has settled, and at the end.
 *
 * 1. *Workers running are those wanted*: as many ready workers as the app has slots, each a living process, and no other.
 * 2. *A stopped app is stopped*: no worker, no process.
 * 3. *No process is left over*: whatever carries the app's mark in its environment is a worker of it, or belongs to one.
 * 4. *Each port's shards are its workers*: the kernel has one listening socket for each, in hands of a worker.
 * 5. *Every operation ends*: none is under way, and each that was begun has one receipt.
 * 6. *The daemon is there*: it answers, one guard stands, and its log has no defect.
 * 7. *Nothing happens without a reason*: no worker ends that was neither killed nor asked to go, and no alarm is given
 *    that the fault gives no reason for (`audit.ts`).
 * 8. *No request is lost* but those in flight on a process that was itself killed (`deaths.ts`).
 */
import { readFileSync } from 'node:fs';
import type { AppDocument } from '../../../src/protocol/index.ts';
import {
  isAlive,
  listProcesses,
  listSockets,
  readEnvironment,
  readProgram,
  readUnlessGone,
} from '../../support/processes.ts';
import { listShards } from '../../support/shards.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import type { World } from './world.ts';

/** What does not hold of one app, in words; none when all is well. Sentences 1 to 5. */
export async function findTroubles(world: World, app: AppUnderLoad): Promise<string[]> {
  const document = await app.document();
  const operations = await world.client.operations(app.name);
  const running = operations.filter(({ status }) => status !== 'done').map(({ kind, id }) => `${kind} ${id}`);
  return [
    ...world.deaths.dying(app.name).map((pid) => `${pid} was killed, and has not ended yet`),
    ...(app.isWanted ? troublesOfWorkers(app, document) : troublesOfRest(document)),
    ...strangersOf(world, app, document),
    ...(app.isWanted ? troublesOfShards(app, document) : []),
    ...(running.length === 0 ? [] : [`operations under way: ${running.join(', ')}`]),
  ];
}

function troublesOfWorkers({ name, instances }: AppUnderLoad, { status, workers }: AppDocument): string[] {
  const ready = workers.filter((worker) => worker.status === 'ready' && worker.pid !== null && isAlive(worker.pid));
  const others = workers.filter((worker) => !ready.includes(worker));
  return [
    ...(status === 'online' ? [] : [`${name} is ${status}`]),
    ...(ready.length === instances ? [] : [`${name} has ${ready.length} ready workers of ${instances}`]),
    ...others.map(({ id, pid, status, reason }) => `${id} (${pid}) is ${status}: ${reason}`),
  ];
}

const troublesOfRest = ({ name, status, workers }: AppDocument): string[] =>
  status === 'stopped' && workers.every(({ pid }) => pid === null)
    ? []
    : [`${name} is ${status} with ${workers.length} workers, and should be stopped`];

/** Processes with the app's mark that are neither a worker nor below one. */
function strangersOf({ drover }: World, { name }: AppUnderLoad, { workers }: AppDocument): string[] {
  const known = new Set(workers.map(({ pid }) => pid));
  const marked = listMarked(drover.home, name);
  const belongs = (pid: number): boolean => {
    for (let at = pid; at > 1; at = parentOf(at)) if (known.has(at)) return true;
    return false;
  };
  return marked.filter((pid) => !belongs(pid)).map((pid) => `process ${pid} of ${name} is left over`);
}

function troublesOfShards({ name, facts, instances }: AppUnderLoad, { workers }: AppDocument): string[] {
  const shards = listShards(facts.port);
  if (shards.length !== instances) {
    const holders = shards.map((inode) => `${inode} of ${holdersOf(inode).join(' and ')}`);
    return [`${name} has ${shards.length} shards for ${instances} slots: ${holders.join(', ')}`];
  }
  const held = workers.map(({ pid }) => new Set(pid === null ? [] : listSockets(pid)));
  return shards
    .filter((inode) => !held.some((sockets) => sockets.has(inode)))
    .map((inode) => `no worker of ${name} has shard ${inode}`);
}

/** Whoever has the socket open, as `pid name`. */
const holdersOf = (inode: string): readonly string[] =>
  listProcesses()
    .filter((pid) => listSockets(pid).includes(inode))
    .map((pid) => `${pid} ${readProgram(pid)}`);

/** Of a home, and of an app where one is named: by what their environment says. */
export const listMarked = (home: string, app: string | null = null): number[] =>
  listProcesses().filter((pid) => {
    if (pid === process.pid || !isAlive(pid)) return false;
    const environment = `\0${readEnvironment(pid)}`;
    return environment.includes(home) && (app === null || environment.includes(`\0DROVER_APP=${app}\0`));
  });

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)$/m.exec(readStatus(pid))?.[1] ?? 0);

const readStatus = (pid: number): string => readUnlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '');
