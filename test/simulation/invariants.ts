/**
 * What must always hold, whatever happens to whom. Each is a sentence; a violation throws it, with what was seen. Checked
 * at the moments at which they could break, and all together once the faults have ended and there was time. Those of
 * connections are in `clients.ts`, that of promises in `wishes.ts`.
 */
import { SHORT_OF_WORKERS_CAP_MS } from '../../src/core/restart-limit.ts';
import type { EventInput, ReceiptDocument } from '../../src/protocol/index.ts';
import { configOf } from './apps.ts';
import type { Disk } from './disk.ts';
import type { Listener } from './kernel.ts';
import type { Machine } from './machine.ts';
import type { SimProcess } from './process.ts';
import { wallMsAt } from './virtual-time.ts';

export class Violation extends Error {}

export const must = (holds: boolean, sentence: string, seen: () => string): void => {
  if (!holds) throw new Violation(`${sentence} (${seen()})`);
};

const nameOf = ({ birth }: SimProcess): string => `${birth.app}/${birth.slot}#${birth.generation} pid ${birth.pid}`;

/** At most one live process has a slot and a generation. */
const oneOfEach = (machine: Machine, started: SimProcess): void => {
  const twins = machine.living.filter(
    ({ birth }) =>
      birth.app === started.birth.app &&
      birth.slot === started.birth.slot &&
      birth.generation === started.birth.generation,
  );
  must(twins.length <= 1, 'at most one live worker has a slot and a generation', () => twins.map(nameOf).join(', '));
};

/** Of an app that is to be stopped nobody is started, nor in a slot that was stopped by itself. */
const stoppedStaysStopped = (disk: Disk, started: SimProcess): void => {
  const { app, slot } = started.birth;
  must(disk.wantedOf(app) === 'up', 'nobody starts a worker of a stopped app', () => nameOf(started));
  must(!disk.isStopped(app, slot), 'nobody starts a worker that was stopped by itself', () => nameOf(started));
};

/** Written before it is done: a daemon that dies at the next line leaves nobody whom the next one does not look for. */
const recordedFirst = (disk: Disk, started: SimProcess): void => {
  const isRecorded = disk.condition !== 'well' || disk.hasSpawn(started.birth.spawn);
  must(isRecorded, 'nobody is started who is not on record', () => nameOf(started));
};

/** What a daemon finds that takes over: a change that was told as completed is what the app has. */
export const completedStays = (disk: Disk): void => {
  for (const { name, release } of disk.apps()) {
    const completed = disk.completedRelease(name);
    must(
      completed === null || completed === release,
      'what was completed stays',
      () => `${name} has release ${release}, and was told to have ${completed}`,
    );
  }
};

/** A slot that its operation has removed stays empty. */
const removedStaysRemoved = (disk: Disk, started: SimProcess): void => {
  const { app, slot } = started.birth;
  const progress = disk.memoryOf(app)?.machine.slots.find((one) => one.slot === slot);
  const isRemoved = progress?.action === 'remove' && (progress.stage === 'changed' || progress.stage === 'down');
  must(!isRemoved, 'nobody is started in a slot that was removed', () => nameOf(started));
};

/** Whoever is started is of the release that its app has, or of one that a change on record has brought: it may have got stuck. */
const releaseIsKnown = (disk: Disk, started: SimProcess): void => {
  const { app, release } = started.birth;
  const known = disk.releasesOf(app);
  must(
    disk.condition !== 'well' || known.has(release),
    'nobody is started of a release that the state does not know',
    () => `${nameOf(started)} of release ${release}, known are ${[...known].join(', ')}`,
  );
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
  /** When the state last fell back to a backup: who was asked before that is not known to have been. */
  readonly fellBackAt: number | null;
}

/**
 * In a reload the workers that serve never get fewer than they were, faults apart: one that is asked to drain has a successor that is ready,
 * as far as anybody can know by then, and in no other slot are there only such as were asked to leave.
 */
export const successorFirst = (leave: Leave): void => {
  const { machine, disk, asked, isCrowded, isHeard, awakeSince, fellBackAt } = leave;
  const { app, slot } = asked.birth;
  const operation = disk.running(app)[0];
  const { stableForMs } = configOf(app).ready;
  // Of one that a new daemon knows from no record, or that says nothing, or only began to, nobody knows that it serves.
  const isBack = asked.ableSince !== null && machine.time.now - asked.ableSince >= stableForMs + LATEST_NEWS_MS;
  const isUnknown = asked.wasStray || !isBack || !isHeard;
  if (operation?.kind !== 'reload' || !asked.isAccepting || isUnknown || isCrowded) return;
  const isNews = (endedAt: number | null): boolean =>
    endedAt === null || machine.time.now - Math.max(endedAt, awakeSince) < LATEST_NEWS_MS;
  const successor = machine.processes.some(({ birth, listenedAt, endedAt }) => {
    const isReady = listenedAt !== null && machine.time.now - listenedAt >= stableForMs;
    const isOther = birth !== asked.birth && birth.app === app && birth.slot === slot;
    return isOther && (isReady || birth.temper.boot === 'never-listens') && isNews(endedAt);
  });
  must(successor, 'in a reload nobody is asked to leave before there is a successor', () => nameOf(asked));
  const instances = disk.apps().find(({ name }) => name === app)?.instances ?? 0;
  for (let other = 0; other < instances; other++) {
    const there = machine.processes.filter(({ birth }) => birth.app === app && birth.slot === other);
    const last = there.at(-1);
    // Of one that no record named (the disk took none) nobody knew whether it was to stay or to go.
    if (there.some(({ wasStray }) => wasStray)) continue;
    // No later daemon knows of it.
    const isForgotten = ({ askedAt, wasAskedOffRecord }: SimProcess): boolean =>
      askedAt !== null && (wasAskedOffRecord || (fellBackAt !== null && askedAt <= fellBackAt));
    if (there.some(isForgotten)) continue;
    // It was empty when the reload began.
    if (last !== undefined && last.endedAt !== null && wallMsAt(last.endedAt) < operation.startedAtMs) continue;
    const hasStayer = there.some(
      ({ endedAt, wasAsked, wasSignalled }) => isNews(endedAt) && !wasAsked && !wasSignalled,
    );
    const isDeserted = last !== undefined && last.wasAsked && last.hasListened && !hasStayer;
    must(other === slot || !isDeserted, 'in a reload no slot is left to those who leave', () => `${app}/${other}`);
  }
};

/** Who has begun to drain is in the middle of its answers. */
export const drainingIsLeftAlone = (process: SimProcess, signal: string): void =>
  must(!process.isDraining || signal === 'SIGKILL', 'nobody cuts off a worker that drains', () => nameOf(process));

/** It would take along what it accepts while it ends. */
export const leaverGetsNoTraffic = (process: SimProcess): void =>
  must(false, 'nobody is given traffic who has said that it drains', () => nameOf(process));

/** A process whose boot goes wrong by itself, and early enough for nobody to count it as ready. */
const hasFailedToStart = ({ birth: { temper }, startedAt, endedAt, hasListened }: SimProcess): boolean =>
  endedAt !== null && endedAt - startedAt < EARLY_MS && !hasListened && temper.boot !== 'never-listens';
const EARLY_MS = 5000;

/** Who serves for so long is known to serve, in milliseconds. */
const KNOWN_TO_SERVE_MS = 8000;

/**
 * No restart outside its limit: starts in a row that failed wait longer from one to the next, and so do crashes beyond the limit
 * (`core/restart-limit.ts`), as the app's configuration says. What was before `quietSince` is not counted: a command, the end of an operation and a
 * new daemon begin anew.
 */
const restartsWait = (machine: Machine, disk: Disk, started: SimProcess, quietSince: number): void => {
  const { app, slot } = started.birth;
  if (disk.running(app).length > 0) return;
  const { backoff, crashLoop } = configOf(app).restart;
  const before = machine.processes.filter(
    (process) =>
      process !== started &&
      process.birth.app === app &&
      process.birth.slot === slot &&
      process.startedAt >= quietSince,
  );
  const last = before.at(-1);
  if (last === undefined || last.endedAt === null) return;
  const { endedAt } = last;
  // Those were called off, or an agent said that it listens and is believed, or was not heard in time to ask for its port:
  // such an app can serve.
  const isOwn = (process: SimProcess): boolean =>
    !process.wasAsked && !process.wasSignalled && !process.hasLied && !process.wasHeardLate;
  const crashes = before.slice(before.findLastIndex((process) => !isOwn(process)) + 1);
  const failedStarts = crashes.length - 1 - crashes.findLastIndex((process) => !hasFailedToStart(process));
  const recent = crashes.filter((process) => endedAt - (process.endedAt ?? 0) < crashLoop.withinMs - LATEST_NEWS_MS);
  const attempts = Math.max(failedStarts, recent.length - crashLoop.restarts);
  const serving = machine.living.filter(
    ({ birth, ableSince }) =>
      birth.app === app && ableSince !== null && machine.time.now - ableSince > KNOWN_TO_SERVE_MS,
  );
  const instances = disk.apps().find(({ name }) => name === app)?.instances ?? 0;
  const isWellServed = serving.length * 2 >= instances;
  // With hardly anybody there, one that can serve need not wait, and one that cannot waits less.
  if (attempts <= 0 || (last.hasListened && !isWellServed)) return;
  const capMs = isWellServed ? backoff.maxMs : Math.min(backoff.maxMs, SHORT_OF_WORKERS_CAP_MS);
  const waitMs = Math.min(backoff.initialMs * backoff.factor ** (attempts - 1), capMs);
  const gap = started.startedAt - endedAt;
  must(
    gap >= waitMs,
    'no worker is started again outside its limit',
    () =>
      `${nameOf(started)} after ${gap} ms instead of ${waitMs}, ${failedStarts} failed starts, ${recent.length} crashes`,
  );
};

/** Whoever is started may be, and at this time. */
export const startIsRight = (machine: Machine, disk: Disk, started: SimProcess, quietSince: number): void => {
  oneOfEach(machine, started);
  recordedFirst(disk, started);
  stoppedStaysStopped(disk, started);
  removedStaysRemoved(disk, started);
  releaseIsKnown(disk, started);
  restartsWait(machine, disk, started, quietSince);
};

/** One that is about to end is running, as readers see it. */
export const endsOnce = (disk: Disk, id: string): void => {
  const status = disk.statusOf(id);
  must(status === 'running', 'an operation ends exactly once', () => `${id} is ${status ?? 'nowhere'}`);
};

/** What has ended is over, also for a daemon whose state fell back to one in which it had not. */
export const overIsOver = (disk: Disk, id: string): void =>
  must(!disk.hadEnded(id), 'nobody goes on with an operation that had ended', () => id);

/** What an agent said that is not so may be acted upon for so long, in milliseconds: messages are late, and so is a daemon. */
const LIE_MS = 10_000;

/** Somebody of this app said what is not so in the time before `at`. */
const isMisled = (machine: Machine, app: string, at: number): boolean =>
  machine.processes.some(({ birth, liedAt }) => birth.app === app && liedAt <= at && at - liedAt < LIE_MS);

/** A machine is surprised only by the process that lied, or soon after it did. */
export const nothingUnexpected = (machine: Machine, { app, worker, type, reason, data }: EventInput): void => {
  if (type !== 'defect') return;
  const generation = (data as { generation?: number } | null | undefined)?.generation;
  const isLiar = machine.processes.some(
    ({ birth, hasLied }) =>
      hasLied &&
      `${birth.app}/${birth.slot}` === worker &&
      (generation === undefined || birth.generation === generation),
  );
  const isExcused = isLiar || isMisled(machine, app ?? '', machine.time.now);
  must(isExcused, 'nothing unexpected happens', () => `${worker ?? app ?? ''}: ${reason ?? ''}`);
};

/** Of an operation that ends: nothing surprised it, and it did not run out of patience, which is there for what nobody foresaw. */
export const receiptIsSound = (machine: Machine, { app, operation, outcome, reason, steps }: ReceiptDocument): void => {
  const surprise = steps.find(
    ({ at, name }) => name === 'defect' && !isMisled(machine, app, Date.parse(at) - wallMsAt(0)),
  );
  must(surprise === undefined, 'nothing surprises an operation', () => `${operation}: ${surprise?.detail ?? ''}`);
  must(
    reason?.startsWith('it took too long') !== true,
    'no operation runs out of patience',
    () => `${operation} ${outcome}: ${reason ?? ''}`,
  );
};

/** Of what ends as completed: whom a reload was to replace has gone, or was asked to; of a deleted app nobody is left. */
export const completedIsTrue = (machine: Machine, disk: Disk, { app, operation, outcome }: ReceiptDocument): void => {
  const row = disk.running(app).find(({ id }) => id === operation);
  if (outcome !== 'completed') return;
  if (row?.kind === 'delete') {
    const rest = machine.living.filter(({ birth, wasStray }) => birth.app === app && !wasStray);
    must(rest.length === 0, 'of an app that was deleted nobody is left', () => rest.map(nameOf).join(', '));
  }
  if (row?.kind !== 'reload') return;
  const replaced = new Set(
    disk.memoryOf(app)?.machine.slots.flatMap(({ slot, action }) => (action === 'replace' ? [slot] : [])),
  );
  const left = machine.living.find(
    ({ birth, startedAt, wasAsked, wasSignalled, wasStray }) =>
      birth.app === app &&
      replaced.has(birth.slot) &&
      wallMsAt(startedAt) < row.startedAtMs &&
      !(wasAsked || wasSignalled || wasStray),
  );
  must(left === undefined, 'a reload that is completed has replaced everybody', () => nameOf(left!));
};

/** Of what ends as completed: nobody waits to take over. `waiting`: replacements, by their ids. */
export const nobodyWaits = ({ operation, outcome }: ReceiptDocument, waiting: readonly string[]): void =>
  must(
    outcome !== 'completed' || waiting.length === 0,
    'an operation that is completed has handed over to everybody that it booted',
    () => `${operation}: ${waiting.join(', ')}`,
  );

export interface Settled {
  readonly machine: Machine;
  readonly disk: Disk;
  /** When the state last fell back to a backup; null: never. What was done since then it cannot know. */
  readonly fellBackAt: number | null;
  /** Workers of an app that are not up, as its daemon sees them. */
  readonly isStarting: (app: string) => readonly string[];
  /** Its daemon spreads connections over this socket too. */
  readonly isShard: (app: string, listener: Listener) => boolean;
}

/**
 * One that never listens counts as ready when it has stayed alive, and accepts nothing. So does one whose agent never speaks, where a daemon
 * that was frozen gave it more time than a start has: it is taken for a program without an agent.
 */
export const countsWithoutListening = ({ birth: { temper } }: SimProcess): boolean =>
  temper.boot === 'never-listens' || temper.boot === 'silent' || temper.boot === 'hangs';

/** A connection is reset only where its app is to be stopped, or those who kept the socket died, which is looked at before this. */
export const resetIsRight = (machine: Machine, disk: Disk, app: string): void => {
  // A program that does not listen has no use for its port.
  const living = machine.living.filter(({ birth }) => birth.app === app);
  const isUseless = living.length > 0 && living.every(countsWithoutListening);
  must(disk.wantedOf(app) !== 'up' || isUseless, 'no connection to an app that is wanted is reset', () => app);
};

/** Faults have ended and there was time: everything is as it is wanted. */
export const settled = ({ machine, disk, fellBackAt, isStarting, isShard }: Settled): void => {
  const operations = disk.operations();
  const open = operations.filter(({ status }) => status === 'running');
  must(open.length === 0, 'every operation ends', () =>
    open.map(({ id, kind, phase }) => `${id} ${kind} ${phase}`).join(', '),
  );
  const ours = machine.living.filter(({ birth }) => birth.app !== 'stranger');
  for (const { name, wanted, instances, release, stoppedSlots } of disk.apps()) {
    const size = instances - stoppedSlots.filter((slot) => slot < instances).length;
    const own = ours.filter(({ birth }) => birth.app === name);
    const seen = (): string => `${name} wants ${wanted} ${size}: ${own.map(describe).join(', ')}`;
    if (wanted === 'stopped') {
      must(own.length === 0, 'a stopped app has no workers', seen);
      continue;
    }
    must(own.length === size, 'an app that is wanted has as many workers as it should, and no more', seen);
    must(
      own.every((process) => process.isAccepting || countsWithoutListening(process)),
      'every shard of a wanted app has somebody who accepts',
      seen,
    );
    must(
      own.every((process) => !process.isAccepting || process.own === null || isShard(name, process.own)),
      'whoever accepts is given connections',
      seen,
    );
    // What could not be put back is said to be stuck, and waits for a person, where nothing that replaces workers was completed since.
    const last = operations.findLast(
      ({ app, kind, phase }) => app === name && (kind === 'reload' || kind === 'restart') && phase !== 'failed',
    );
    const stuckAtMs = last?.phase === 'stuck' ? last.endedAtMs : null;
    const isExcused = ({ startedAt }: SimProcess): boolean =>
      (stuckAtMs !== null && wallMsAt(startedAt) <= stuckAtMs) || (fellBackAt !== null && startedAt <= fellBackAt);
    must(
      own.every((process) => process.birth.release === release || isExcused(process)),
      'all workers are of the release that the app has',
      () => `${seen()}; release ${release}`,
    );
    must(
      new Set(own.map(({ birth }) => birth.slot)).size === size,
      'each slot that is not stopped has one worker',
      seen,
    );
    const waiting = isStarting(name);
    must(waiting.length === 0, 'nobody is waited for for ever', () => `${waiting.join(', ')}; ${seen()}`);
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
