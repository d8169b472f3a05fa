/** The causal chain behind the present state of an app, told from its events: each with what it followed from. */
import type { TroubleKind } from '../core/index.ts';
import { lastLinesOf } from './last-crash.ts';
import type { AppDocument, EventDocument, EventType, WhyDocument } from '../protocol/index.ts';

/** Events that explain nothing by themselves: the ordinary course of a worker's life. */
const ORDINARY: ReadonlySet<EventType> = new Set(['port-opened', 'shard-covered', 'shard-uncovered', 'worker-drained']);
const LINKS_SHOWN = 20;

/** `events` in rising order; more of them than are told, because a cause may lie further back. */
export const explain = (app: AppDocument, events: readonly EventDocument[]): WhyDocument => {
  const telling = events.filter((event) => !ORDINARY.has(event.type));
  const crash = telling.findLast((event) => lastLinesOf(event).length > 0);
  const chain = telling.map((event, index) => ({
    at: event.at,
    event: describeEvent(event),
    because: causeOf(event, telling.slice(0, index)),
    ...(typeof event.data['correlation'] === 'string' ? { correlation: event.data['correlation'] } : {}),
    ...(event === crash ? { lastLines: lastLinesOf(event) } : {}),
  }));
  return { app: app.name, chain: chain.slice(-LINKS_SHOWN), summary: summarize(app, telling) };
};

const describeEvent = (event: EventDocument): string =>
  `${event.worker ?? event.app ?? 'drover'}: ${event.type.replaceAll('-', ' ')}${event.reason === null ? '' : ` (${event.reason})`}`;

/** How a cause has to be related to its event. */
type Relation = (cause: EventDocument, event: EventDocument, before: readonly EventDocument[]) => boolean;

const sameWorker: Relation = (cause, event) => cause.worker === event.worker;
/** Of the same process: what an earlier one in the slot went through explains nothing. */
const sameProcess: Relation = (cause, event) =>
  cause.worker === event.worker && cause.data['generation'] === event.data['generation'];
const anywhere: Relation = () => true;
const sameOperation: Relation = (cause, event) => cause.data['operation'] === event.data['operation'];
/** An operation that had ended by then asked for nothing any more. */
const stillRunning: Relation = (cause, _event, before) =>
  !before.some((other) => other.type === 'operation-ended' && sameOperation(other, cause, before));
const duringOperation: Relation = (cause, event, before) =>
  event.data['outcome'] !== 'completed' &&
  cause.seq >
    (before.findLast((other) => other.type === 'operation-started' && sameOperation(other, event, before))?.seq ?? 0);

/** Drover's own: by the ladder, or to set something right. */
const isOwn = ({ data }: EventDocument): boolean => data['isAsked'] === false;
/** Nothing has followed from the cause yet. */
const ofOwn: Relation = (cause, event, before) =>
  isOwn(event) && !before.some(({ type, seq }) => type === 'operation-started' && seq > cause.seq);

const sameIn =
  (field: string): Relation =>
  (cause, event) =>
    cause.worker === event.worker && cause.data[field] === event.data[field];
const sameProbe = sameIn('probe');
const sameCheck = sameIn('check');
const sameBudget = sameIn('budget');
const sameAlert = sameIn('name');

type Causes = readonly (readonly [type: EventType | readonly EventType[], relation: Relation])[];

/** A daemon that began, or became another version in place; of those on record the last one. */
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
const isAbout: Relation = (cause, event, before) =>
  sameWorker(cause, event, before) &&
  (TOLD_BY[event.data['trouble'] as TroubleKind]?.includes(cause.type) ?? !('trouble' in event.data));

/** What a worker may be unwell with. */
const UNWELL: Causes = [
  [['worker-hung', 'worker-blocked', 'probe-failed', 'check-failed', 'budget-exceeded', 'worker-ejected'], isAbout],
];

/** Which earlier events bring an event about, most direct first. */
const CAUSES: Partial<Readonly<Record<EventType, Causes>>> = {
  'worker-spawned': [
    ['worker-backoff', sameWorker],
    ['operation-started', stillRunning],
    ['worker-exited', sameWorker],
    ...DAEMON,
  ],
  'worker-ready': [
    ['worker-spawned', sameProcess],
    ['worker-adopted', sameProcess],
  ],
  'worker-backoff': [['worker-exited', sameWorker]],
  'crash-loop': [['worker-exited', sameWorker]],
  'worker-draining': [
    ['worker-hung', sameWorker],
    [['worker-recovering', 'worker-recycled'], sameProcess],
    ['operation-started', stillRunning],
  ],
  'worker-killed': [
    ['worker-start-timeout', sameProcess],
    ['worker-hung', sameProcess],
    ['worker-draining', sameProcess],
  ],
  'worker-exited': [
    ['worker-killed', sameProcess],
    ['worker-draining', sameProcess],
    ['worker-start-timeout', sameProcess],
    ['worker-hung', sameProcess],
    ['worker-signalled', sameProcess],
    ['port-taken', sameWorker],
  ],
  'operation-ended': [
    ['worker-start-timeout', duringOperation],
    ['worker-exited', duringOperation],
    ['port-taken', duringOperation],
    ['operation-started', sameOperation],
  ],
  'operation-started': [[['worker-recovering', 'worker-recycled', 'worker-hung'], ofOwn]],
  'operation-resumed': DAEMON,
  'worker-unblocked': [['worker-blocked', sameWorker]],
  'worker-hung': [['worker-blocked', sameWorker]],
  'worker-returned': [['worker-ejected', sameWorker]],
  'probe-passed': [['probe-failed', sameProbe]],
  'check-passed': [['check-failed', sameCheck]],
  'budget-met': [['budget-exceeded', sameBudget]],
  'worker-recovering': UNWELL,
  'worker-recycled': UNWELL,
  'worker-quarantined': [['worker-recovering', sameWorker], ...UNWELL],
  'heal-held-back': UNWELL,
  'health-changed': [
    [
      ['worker-blocked', 'worker-ejected', 'probe-failed', 'check-failed', 'budget-exceeded', 'worker-exited'],
      anywhere,
    ],
  ],
  'degrade-changed': [['check-failed', anywhere]],
  'alert-firing': [['health-changed', anywhere]],
  'alert-resolved': [['alert-firing', sameAlert]],
  'log-drop-ended': [['log-dropped', sameProcess]],
  'worker-adopted': DAEMON,
  'descriptors-regained': DAEMON,
  'worker-stray': DAEMON,
};

/** What there is to say where no event on record is the cause. */
const UNCAUSED: Partial<Readonly<Record<EventType, string>>> = {
  'operation-started': 'it was asked for',
  'worker-blocked': 'its event loop was busy with one thing',
  'worker-ejected': 'its own answers, beside those of its peers',
  'probe-failed': 'what the probe was answered',
  'probe-warned': 'what the probe was answered',
  'check-failed': 'what the check of the app said',
  'budget-exceeded': 'what the worker takes',
  'worker-signalled': 'it was asked for',
  'daemon-started': 'it was asked for',
  'daemon-recovered': 'it had died',
  'app-added': 'it was asked for',
  'app-changed': 'it was asked for',
  'log-dropped': 'its disk was full',
  'output-lost': 'its files were removed, or the disk took none',
  'worker-exited': 'nothing that Drover did: it ended by itself, or somebody else ended it',
  'port-taken': 'another process was there first',
};

const causeOf = (event: EventDocument, before: readonly EventDocument[]): string => {
  for (const [type, isRelated] of CAUSES[event.type] ?? []) {
    const types = [type].flat();
    const cause = before.findLast((earlier) => types.includes(earlier.type) && isRelated(earlier, event, before));
    if (cause !== undefined) return describeEvent(cause);
  }
  if (event.type === 'operation-started' && isOwn(event)) return 'Drover sets something right by itself';
  return UNCAUSED[event.type] ?? 'nothing earlier is on record';
};

const TROUBLE: ReadonlySet<EventType> = new Set([
  'crash-loop',
  'worker-exited',
  'worker-start-timeout',
  'port-taken',
  'worker-hung',
  'worker-blocked',
  'worker-ejected',
  'worker-quarantined',
]);

/** Workers that are left alone because replacing them did not help; whoever asks for an operation begins anew. */
const findQuarantine = (events: readonly EventDocument[]): EventDocument | undefined => {
  const quarantined = events.findLastIndex(({ type }) => type === 'worker-quarantined');
  if (quarantined === -1) return undefined;
  const isOver = events.slice(quarantined).some((event) => event.type === 'operation-started' && !isOwn(event));
  return isOver ? undefined : events[quarantined];
};

const summarize = (app: AppDocument, events: readonly EventDocument[]): string => {
  const ready = app.workers.filter((worker) => worker.ready).length;
  const state = `${app.name} is ${app.status}: ${ready} of ${app.instances} workers are ready`;
  const trouble = events.findLast((event) => TROUBLE.has(event.type));
  const operation = events.findLast((event) => event.type === 'operation-ended');
  if (app.status !== 'online' && trouble !== undefined) return `${state}, because ${describeEvent(trouble)}.`;
  const quarantined = findQuarantine(events);
  if (quarantined !== undefined) return `${state}. In quarantine: ${describeEvent(quarantined)}.`;
  return operation?.reason ? `${state}. Last change: ${operation.reason}.` : `${state}.`;
};
