/**
 * Which event brought another one about. A cause lies before its event and belongs to the same app: one that was deleted,
 * and had its name, explains nothing.
 */
import type { TroubleKind } from '../core/index.ts';
import type { EventDocument, EventType } from '../protocol/index.ts';
import { endsTrouble, isOver, isTrouble } from './troubles.ts';

type Events = readonly EventDocument[];

/** How a cause has to be related to its event; `past`: all that was before the event. */
type Relation = (cause: EventDocument, event: EventDocument, past: Events) => boolean;

const both =
  (...relations: readonly Relation[]): Relation =>
  (cause, event, past) =>
    relations.every((isRelated) => isRelated(cause, event, past));
const anywhere: Relation = () => true;
const sameWorker: Relation = (cause, event) => cause.worker === event.worker;
/** Of the same process: what an earlier one in the slot went through explains nothing. */
const sameProcess: Relation = (cause, event) =>
  cause.worker === event.worker && cause.data['generation'] === event.data['generation'];
const sameOperation: Relation = (cause, event) => cause.data['operation'] === event.data['operation'];
/** An operation that had ended by then asked for nothing any more. */
const stillRunning: Relation = (cause, _event, past) => isRunning(cause, past);
const duringOperation: Relation = (cause, event, past) => {
  if (event.data['outcome'] === 'completed' || isOnPurpose(cause, past)) return false;
  const begun = past.findLast((other) => other.type === 'operation-started' && sameOperation(other, event, past));
  return begun !== undefined && cause.seq > begun.seq;
};
/** Of the kind that `kind` says, in its data. */
const ofKind =
  (kind: string): Relation =>
  (cause) =>
    cause.data['kind'] === kind;

const BEGINNINGS: ReadonlySet<EventType> = new Set(['daemon-started', 'daemon-recovered']);

/** Nobody has been started in the slot since: who is, is for this. */
const sinceSpawn: Relation = (cause, event, past) =>
  (sameWorker(cause, event, past) || BEGINNINGS.has(cause.type)) &&
  !past.some((other) => other.type === 'worker-spawned' && sameWorker(other, event, past) && other.seq > cause.seq);
/** Nothing else since would have started somebody. */
const ofItself: Relation = (cause, _event, past) =>
  !isOnPurpose(cause, past) &&
  !past.some(({ type, seq }) => (type === 'operation-started' || BEGINNINGS.has(type)) && seq > cause.seq);

/** Somebody asked for the operation. */
const ofOthers: Relation = (cause) => !isOwn(cause);
/** Nothing has followed from the cause yet. */
const ofOwn: Relation = (cause, event, past) =>
  isOwn(event) && !past.some(({ type, seq }) => type === 'operation-started' && seq > cause.seq);
const ofOwnStop: Relation = (cause, event, past) => event.data['kind'] === 'stop' && ofOwn(cause, event, past);

const notOver: Relation = (cause, _event, past) => !isOver(cause, past);
/** One that was asked to end so goes by that signal; who ends with a code may have had a handler for it. */
const bySignal: Relation = (cause, event, past) => {
  const [, signal = ''] = /by (SIG\w+)/.exec(event.reason ?? '') ?? [];
  return sameProcess(cause, event, past) && (cause.reason ?? '').includes(signal);
};

const sameIn =
  (field: string): Relation =>
  (cause, event) =>
    cause.worker === event.worker && cause.data[field] === event.data[field];
const sameProbe = sameIn('probe');
const sameCheck = sameIn('check');
const sameBudget = sameIn('budget');
const sameAlert = sameIn('name');

const toLevel =
  (level: string): Relation =>
  (_cause, event) =>
    event.data['level'] === level;
/** There has been no other event of its type since. */
const sinceLast: Relation = (cause, event, past) =>
  !past.some(({ type, seq }) => type === event.type && seq > cause.seq);
/** It is the health that the app has. */
const stillUnwell: Relation = (cause, _event, past) =>
  cause.data['to'] !== 'healthy' && !past.some(({ type, seq }) => type === cause.type && seq > cause.seq);

type Causes = readonly (readonly [type: EventType | readonly EventType[], relation: Relation])[];

/** A daemon that began, or is becoming another version in place; of those on record the last one. */
const DAEMON: Causes = [[['daemon-started', 'daemon-recovered', 'daemon-upgrading'], anywhere]];

/** By which event it was told before what the ladder acts on. */
const TOLD_BY: Readonly<Record<TroubleKind, readonly EventType[]>> = {
  hang: ['worker-hung', 'worker-blocked'],
  liveness: ['probe-failed'],
  check: ['check-failed'],
  ejected: ['worker-ejected'],
  'budget-memory': ['budget-exceeded'],
  'budget-load': ['budget-exceeded'],
  memory: [],
};
/** Events of before it was written down are about whatever was told last. */
const isAbout: Relation = (cause, event, past) =>
  sameWorker(cause, event, past) &&
  (TOLD_BY[event.data['trouble'] as TroubleKind]?.includes(cause.type) ?? !('trouble' in event.data));

/** What a worker may be unwell with. */
const UNWELL: Causes = [
  [['worker-hung', 'worker-blocked', 'probe-failed', 'check-failed', 'budget-exceeded', 'worker-ejected'], isAbout],
];

const BEGUN: Causes = [
  ['worker-spawned', sameProcess],
  ['worker-adopted', sameProcess],
];

/** Which earlier events bring an event about, most direct first. */
const CAUSES: Partial<Readonly<Record<EventType, Causes>>> = {
  'worker-spawned': [
    [['worker-backoff', 'worker-exited'], both(sameWorker, ofItself)],
    ['operation-started', stillRunning],
    [['worker-exited', 'daemon-started', 'daemon-recovered'], sinceSpawn],
    ...DAEMON,
  ],
  'worker-ready': BEGUN,
  'worker-start-timeout': BEGUN,
  'worker-backoff': [['worker-exited', sameWorker]],
  'crash-loop': [['worker-exited', sameWorker]],
  'crash-loop-ended': [['worker-ready', sameWorker]],
  'worker-draining': [
    ['operation-started', both(stillRunning, ofOthers)],
    ['worker-hung', both(sameWorker, notOver)],
    [['worker-recovering', 'worker-recycled'], sameProcess],
    ['operation-started', stillRunning],
  ],
  'worker-killed': [
    ['worker-start-timeout', sameProcess],
    ['worker-hung', sameProcess],
    ['worker-draining', sameProcess],
    ['operation-started', stillRunning],
  ],
  'worker-exited': [
    ['worker-killed', sameProcess],
    ['worker-draining', sameProcess],
    ['worker-start-timeout', sameProcess],
    ['worker-hung', sameProcess],
    ['worker-signalled', bySignal],
    ['port-taken', both(sinceSpawn, sameWorker)],
  ],
  'operation-ended': [
    ['worker-start-timeout', duringOperation],
    ['worker-exited', duringOperation],
    ['port-taken', duringOperation],
    [['daemon-started', 'daemon-recovered'], duringOperation],
    ['operation-started', sameOperation],
  ],
  'operation-started': [
    ['daemon-stopping', ofOwnStop],
    [['worker-recovering', 'worker-recycled', 'worker-hung'], ofOwn],
  ],
  'operation-resumed': DAEMON,
  'app-removed': [['operation-started', ofKind('delete')]],
  'worker-unblocked': [['worker-blocked', sameWorker]],
  'worker-hung': [['worker-blocked', both(sameWorker, notOver)]],
  'worker-returned': [['worker-ejected', sameWorker]],
  'probe-passed': [['probe-failed', sameProbe]],
  'check-passed': [['check-failed', sameCheck]],
  'budget-met': [['budget-exceeded', sameBudget]],
  'worker-recovering': UNWELL,
  'worker-recycled': UNWELL,
  'worker-quarantined': [['worker-recovering', sameWorker], ...UNWELL],
  'heal-held-back': UNWELL,
  'degrade-changed': [
    ['check-failed', both(toLevel('cache-only'), notOver)],
    ['log-dropped', toLevel('read-only')],
    [['check-passed', 'log-drop-ended'], both(toLevel('normal'), sinceLast)],
  ],
  'alert-firing': [['health-changed', stillUnwell]],
  'alert-resolved': [['alert-firing', sameAlert]],
  'log-drop-ended': [['log-dropped', sameProcess]],
  'state-written': [['state-unwritable', anywhere]],
  // One of an app that was not known is taken over when the app is added.
  'worker-adopted': [[['daemon-started', 'daemon-recovered', 'daemon-upgrading', 'app-added'], anywhere]],
  'descriptors-regained': DAEMON,
  'worker-stray': DAEMON,
  'daemon-upgraded': DAEMON,
  'daemon-upgrade-failed': DAEMON,
};

/** What there is to say where no event on record is the cause. */
const UNCAUSED: Partial<Readonly<Record<EventType, string>>> = {
  'operation-started': 'it was asked for',
  'worker-blocked': 'its event loop was busy with one thing',
  'worker-ejected': 'its own answers, beside those of its peers',
  'worker-recycled': 'what the worker takes',
  'probe-failed': 'what the probe was answered',
  'probe-warned': 'what the probe was answered',
  'check-failed': 'what the check of the app said',
  'budget-exceeded': 'what the worker takes',
  'health-changed': 'what its workers show',
  'degrade-changed': 'how much its workers have to do',
  'alert-firing': 'what it watches',
  'alert-undelivered': 'what its receiver answered',
  'worker-signalled': 'it was asked for',
  'daemon-started': 'it was asked for',
  'daemon-recovered': 'it had died',
  'daemon-stopping': 'it was asked for',
  'daemon-upgrading': 'it was asked for',
  'app-added': 'it was asked for',
  'app-changed': 'it was asked for',
  'app-removed': 'it was asked for',
  'log-dropped': 'its disk was full',
  'output-lost': 'its files were removed, or the disk took none',
  'state-restored': 'what was found on the disk',
  'state-damaged': 'what was found on the disk',
  'state-unwritable': 'the disk took no writes',
  'worker-exited': 'nothing that Drover did: it ended by itself, or somebody else ended it',
  'port-taken': 'another process was there first',
};

export const describeEvent = (event: EventDocument): string =>
  `${event.worker ?? event.app ?? 'drover'}: ${event.type.replaceAll('-', ' ')}${event.reason === null ? '' : ` (${event.reason})`}`;

/** An operation of Drover's own: by the ladder, or to set something right. */
export const isOwn = ({ data }: EventDocument): boolean => data['isAsked'] === false;

export const isRunning = (operation: EventDocument, past: Events): boolean =>
  !past.some((other) => other.type === 'operation-ended' && sameOperation(other, operation, past));

/** Its process was asked to go. */
export const isOnPurpose = (exit: EventDocument, past: Events): boolean =>
  exit.type === 'worker-exited' &&
  past.some((other) => other.type === 'worker-draining' && sameProcess(other, exit, past) && other.seq < exit.seq);

/** Without those of an app that was deleted and had the same name. */
export const ofThisApp = (events: Events): Events => {
  const removed = events.findLastIndex(({ type }) => type === 'app-removed');
  const from = Math.max(
    removed + 1,
    events.findLastIndex(({ type }) => type === 'app-added'),
  );
  return events.filter(({ app }, index) => index >= from || app === null);
};

/** `events`: in rising order, with the event among them. */
export const findCause = (event: EventDocument, events: Events): EventDocument | undefined => {
  const at = events.indexOf(event);
  const before = events.slice(0, at);
  // The end of a deletion is told when the app is gone already; which operation ended its id says.
  const past = event.type === 'operation-ended' ? before : ofThisApp(before);
  if (event.type === 'health-changed') return findCauseOfHealth(event, past, events.slice(at + 1));
  for (const [type, isRelated] of CAUSES[event.type] ?? []) {
    const types = [type].flat();
    const cause = past.findLast((earlier) => types.includes(earlier.type) && isRelated(earlier, event, past));
    if (cause !== undefined) return cause;
  }
  return undefined;
};

export const describeCause = (event: EventDocument, events: Events): string => {
  const cause = findCause(event, events);
  if (cause !== undefined) return describeEvent(cause);
  if (event.type === 'operation-started' && isOwn(event)) return 'Drover sets something right by itself';
  if (event.type === 'health-changed' && isBetter(event)) return 'what was wrong is over';
  return UNCAUSED[event.type] ?? 'nothing earlier is on record';
};

/** What follows from something that says more. */
const STEPS: ReadonlySet<EventType> = new Set([
  'worker-spawned',
  'worker-backoff',
  'worker-exited',
  'worker-killed',
  'worker-draining',
]);

/** What is behind it that a worker goes or comes: an operation, or what was wrong; otherwise the event itself. */
export const findOrigin = (event: EventDocument, events: Events): EventDocument => {
  if (!STEPS.has(event.type)) return event;
  const cause = findCause(event, events);
  // How it ended says more than that it was sent a signal.
  return cause === undefined || cause.type === 'worker-signalled' ? event : findOrigin(cause, events);
};

const HEALTH_RANK: Readonly<Record<string, number>> = { healthy: 0, degraded: 1, critical: 2 };
const rankOf = (health: unknown): number => HEALTH_RANK[String(health)] ?? 0;
const isBetter = ({ data }: EventDocument): boolean => rankOf(data['to']) < rankOf(data['from']);

/** For the worse something that is wrong; for the better what ended that. */
const findCauseOfHealth = (event: EventDocument, past: Events, later: Events): EventDocument | undefined => {
  const before = past.findLastIndex(({ type }) => type === 'health-changed');
  const since = past.slice(before + 1);
  if (isBetter(event)) {
    return (
      findUnblocked(past, later) ??
      since.findLast((relief) => isRelief(relief, past)) ??
      since.findLast(({ type, data }) => type === 'operation-ended' && data['outcome'] === 'completed')
    );
  }
  return (
    past.findLast((trouble) => isTrouble(trouble) && !isOver(trouble, past) && !isOnPurpose(trouble, past)) ??
    since.findLast(({ type }) => type === 'heal-held-back') ??
    since.findLast((other) => other.type === 'operation-started' && isRunning(other, past))
  );
};

/** That a worker answers again is told once it is known what had blocked it, which the health of the app does not wait for. */
const findUnblocked = (past: Events, later: Events): EventDocument | undefined => {
  const next = later.findIndex(({ type }) => type === 'health-changed' || type === 'worker-blocked');
  const soon = next === -1 ? later : later.slice(0, next);
  return soon.find(
    (event) =>
      event.type === 'worker-unblocked' &&
      past.some(
        (trouble) => trouble.type === 'worker-blocked' && endsTrouble(event, trouble) && !isOver(trouble, past),
      ),
  );
};

/** It ended something that was wrong until then. That a worker is gone helps nobody. */
const isRelief = (event: EventDocument, past: Events): boolean => {
  if (event.type === 'worker-exited') return false;
  const before = past.filter(({ seq }) => seq < event.seq);
  return before.some((trouble) => isTrouble(trouble) && endsTrouble(event, trouble) && !isOver(trouble, before));
};
