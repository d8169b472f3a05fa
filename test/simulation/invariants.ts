/**
 * What must always hold, whatever happens to whom. Each is a sentence; a violation throws it, with what was seen. Checked
 * at the moments at which they could break, and all together once the faults have ended and there was time. Those of
 * connections are in `clients.ts`, that of promises in `wishes.ts`.
 */
import type { Disk } from './disk.ts';
import type { Machine } from './machine.ts';
import type { SimProcess } from './process.ts';

export class Violation extends Error {}

export const must = (holds: boolean, sentence: string, seen: () => string): void => {
  if (!holds) throw new Violation(`${sentence} (${seen()})`);
};

const nameOf = ({ birth }: SimProcess): string => `${birth.app}/${birth.slot}#${birth.generation} pid ${birth.pid}`;

/** At most one live process has a slot and a generation. */
export const oneOfEach = (machine: Machine, started: SimProcess): void => {
  const twins = machine.living.filter(
    ({ birth }) =>
      birth.app === started.birth.app &&
      birth.slot === started.birth.slot &&
      birth.generation === started.birth.generation,
  );
  must(twins.length <= 1, 'at most one live worker has a slot and a generation', () => twins.map(nameOf).join(', '));
};

/** Of an app that is to be stopped nobody is started. */
export const stoppedStaysStopped = (disk: Disk, started: SimProcess): void =>
  must(disk.wantedOf(started.birth.app) === 'up', 'nobody starts a worker of a stopped app', () => nameOf(started));

/** A slot that its operation has removed stays empty. */
export const removedStaysRemoved = (disk: Disk, started: SimProcess): void => {
  const { app, slot } = started.birth;
  const progress = disk.machineOf(app)?.slots.find((one) => one.slot === slot);
  const isRemoved = progress?.action === 'remove' && (progress.stage === 'changed' || progress.stage === 'down');
  must(!isRemoved, 'nobody is started in a slot that was removed', () => nameOf(started));
};

/** News of an end may be so late, in milliseconds. */
const LATEST_NEWS_MS = 500;

interface Leave {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly asked: SimProcess;
  /** Its operation is given up, or all of the app is to go. */
  readonly isCrowded: boolean;
  /** The daemon knows what it listens on. */
  readonly isHeard: boolean;
  /** Since then the daemon is awake. */
  readonly awakeSince: number;
}

/** A worker that is asked to drain in a reload has a successor that listens, as far as anybody can know by then. */
export const successorFirst = ({ machine, disk, asked, isCrowded, isHeard, awakeSince }: Leave): void => {
  const { app, slot } = asked.birth;
  const operation = disk.running(app)[0];
  // Of one that a new daemon knows from no record, or that says nothing, nobody knows that it serves.
  const isUnknown = asked.wasStray || asked.isStalled || !isHeard;
  if (operation?.kind !== 'reload' || !asked.isAccepting || isUnknown || isCrowded) return;
  const successor = machine.processes.some(
    ({ birth, hasListened, endedAt }) =>
      birth !== asked.birth &&
      birth.app === app &&
      birth.slot === slot &&
      (hasListened || birth.temper.boot === 'never-listens') &&
      (endedAt === null || machine.time.now - Math.max(endedAt, awakeSince) < LATEST_NEWS_MS),
  );
  must(successor, 'in a reload nobody is asked to leave before there is a successor', () => nameOf(asked));
};

/** Who has begun to drain is in the middle of its answers. */
export const drainingIsLeftAlone = (process: SimProcess, signal: string): void =>
  must(!process.isDraining || signal === 'SIGKILL', 'nobody cuts off a worker that drains', () => nameOf(process));

/** Half of the first backoff: the shortest wait that anything allows after a start that failed. */
const SHORTEST_WAIT_MS = 100;

/** A worker that did not come up is not started again at once, unless somebody asked or a new daemon looks. */
export const restartsWait = (machine: Machine, disk: Disk, started: SimProcess, daemonSince: number): void => {
  const { app, slot } = started.birth;
  if (disk.running(app).length > 0) return;
  const before = machine.processes.findLast(
    (process) => process !== started && process.birth.app === app && process.birth.slot === slot,
  );
  if (before === undefined || before.hasListened || before.startedAt < daemonSince) return;
  // Its start did not fail: it was called off. And an agent that says that it listens is believed: such an app can serve.
  if (before.wasAsked || before.wasSignalled || before.hasLied) return;
  const gap = started.startedAt - before.startedAt;
  must(
    gap >= SHORTEST_WAIT_MS,
    'a start that failed is not repeated at once',
    () => `${nameOf(started)} after ${gap} ms`,
  );
};

/** One that is about to end is running, as readers see it. */
export const endsOnce = (disk: Disk, id: string): void => {
  const status = disk.statusOf(id);
  must(status === 'running', 'an operation ends exactly once', () => `${id} is ${status ?? 'nowhere'}`);
};

export interface Settled {
  readonly machine: Machine;
  readonly disk: Disk;
  /** When the state last fell back to a backup; null: never. What was done since then it cannot know. */
  readonly fellBackAt: number | null;
}

/**
 * One that never listens counts as ready when it has stayed alive, and accepts nothing. So does one whose agent never speaks, where a daemon
 * that was frozen gave it more time than a start has: it is taken for a program without an agent.
 */
export const countsWithoutListening = ({ birth: { temper } }: SimProcess): boolean =>
  temper.boot === 'never-listens' || temper.boot === 'silent' || temper.boot === 'hangs';

/** Faults have ended and there was time: everything is as it is wanted. */
export const settled = ({ machine, disk, fellBackAt }: Settled): void => {
  const operations = disk.operations();
  const open = operations.filter(({ status }) => status === 'running');
  must(open.length === 0, 'every operation ends', () =>
    open.map(({ id, kind, phase }) => `${id} ${kind} ${phase}`).join(', '),
  );
  const ours = machine.living.filter(({ birth }) => birth.app !== 'stranger');
  for (const { name, wanted, instances, release } of disk.apps()) {
    const own = ours.filter(({ birth }) => birth.app === name);
    const seen = (): string => `${name} wants ${wanted} ${instances}: ${own.map(describe).join(', ')}`;
    if (wanted === 'stopped') {
      must(own.length === 0, 'a stopped app has no workers', seen);
      continue;
    }
    must(own.length === instances, 'an app that is wanted has as many workers as it should, and no more', seen);
    must(
      own.every((process) => process.isAccepting || countsWithoutListening(process)),
      'every shard of a wanted app has somebody who accepts',
      seen,
    );
    // What could not be put back is said to be stuck, and waits for a person.
    const isStuck = operations.some((operation) => operation.app === name && operation.phase === 'stuck');
    must(
      isStuck ||
        own.every(
          ({ birth, startedAt }) => birth.release === release || (fellBackAt !== null && startedAt <= fellBackAt),
        ),
      'all workers are of the release that the app has',
      () => `${seen()}; release ${release}`,
    );
    must(new Set(own.map(({ birth }) => birth.slot)).size === instances, 'each slot has one worker', seen);
  }
  const known = new Set(disk.apps().map(({ name }) => name));
  // An app that a backup does not know: its workers are left alone, and named.
  const orphans = ours.filter(
    ({ birth, startedAt }) => !known.has(birth.app) && !(fellBackAt !== null && startedAt <= fellBackAt),
  );
  must(orphans.length === 0, 'nobody of a deleted app is left', () => orphans.map(nameOf).join(', '));
};

const describe = (process: SimProcess): string =>
  `${nameOf(process)} release ${process.birth.release}${process.isAccepting ? ' accepts' : ''}${process.isDraining ? ' drains' : ''}`;
