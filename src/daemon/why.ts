/** The causal chain behind the present state of an app, told from its events: each with what it followed from. */
import type { AppDocument, EventDocument, EventType, WhyDocument } from '../protocol/index.ts';
import {
  describeCause,
  describeEvent,
  findCause,
  findOrigin,
  isOnPurpose,
  isOwn,
  isRunning,
  ofThisApp,
} from './causes.ts';
import { lastLinesOf } from './last-crash.ts';
import { isOver } from './troubles.ts';

/** Events that explain nothing by themselves: the ordinary course of a worker's life. */
const ORDINARY: ReadonlySet<EventType> = new Set(['port-opened', 'shard-covered', 'shard-uncovered', 'worker-drained']);
const LINKS_SHOWN = 20;

/** `events` in rising order; more of them than are told, because a cause may lie further back. */
export const explain = (app: AppDocument, events: readonly EventDocument[]): WhyDocument => {
  const telling = events.filter((event) => !ORDINARY.has(event.type));
  const crash = telling.findLast((event) => lastLinesOf(event).length > 0);
  const chain = telling.slice(-LINKS_SHOWN).map((event) => ({
    at: event.at,
    event: describeEvent(event),
    because: describeCause(event, telling),
    ...(typeof event.data['correlation'] === 'string' ? { correlation: event.data['correlation'] } : {}),
    ...(event === crash ? { lastLines: lastLinesOf(event) } : {}),
  }));
  return { app: app.name, chain, summary: summarize(app, ofThisApp(telling)) };
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
  const isAskedSince = events.slice(quarantined).some((event) => event.type === 'operation-started' && !isOwn(event));
  return isAskedSince ? undefined : events[quarantined];
};

const summarize = (app: AppDocument, events: readonly EventDocument[]): string => {
  const ready = app.workers.filter((worker) => worker.ready).length;
  const state = `${app.name} is ${app.status}: ${ready} of ${app.instances} workers are ready`;
  if (app.status !== 'online') {
    const returned = findReturned(app, events);
    if (returned !== undefined) {
      const again = `${returned.worker} has only just come back, and the app is called so until it has held out`;
      return `${state}. ${again}. Before that: ${describeEvent(returned)}.`;
    }
    const reason = findReason(app, events);
    if (reason !== undefined) return `${state}, because ${describeReason(reason, events)}.`;
  }
  const quarantined = findQuarantine(events);
  if (quarantined !== undefined) return `${state}. In quarantine: ${describeEvent(quarantined)}.`;
  // That workers were ended together with a daemon changes nothing about the app.
  const change = events.findLast(
    ({ type, data }) => type === 'operation-ended' && !(app.status === 'online' && data['kind'] === 'stop'),
  );
  return change?.reason ? `${state}. Last change: ${change.reason}.` : `${state}.`;
};

const readyIds = (app: AppDocument): ReadonlySet<string | undefined> =>
  new Set(app.workers.filter(({ ready }) => ready).map(({ id }) => id));

/** What is wrong with those that are not ready. */
const findTrouble = (app: AppDocument, events: readonly EventDocument[]): EventDocument | undefined => {
  const ready = readyIds(app);
  return events.findLast((event) => TROUBLE.has(event.type) && !ready.has(event.worker) && !isOver(event, events));
};

/** The last crash of a worker that is ready again, where nobody else is missing. */
const findReturned = (app: AppDocument, events: readonly EventDocument[]): EventDocument | undefined => {
  const isLooping = app.status === 'crash-loop' || app.status === 'degraded';
  const ready = readyIds(app);
  if (!isLooping || ready.size < app.instances) return undefined;
  return events.findLast(
    (event) => event.type === 'worker-exited' && ready.has(event.worker) && !isOnPurpose(event, events),
  );
};

/** Why it is not online: an operation, or something that is wrong. */
const findReason = (app: AppDocument, events: readonly EventDocument[]): EventDocument | undefined => {
  const operation = events.findLast(({ type }) => type === 'operation-started');
  const running = operation !== undefined && isRunning(operation, events) ? operation : undefined;
  const trouble = findTrouble(app, events);
  const isDown = app.status === 'stopped' || app.status === 'stopping';
  if (isDown && operation !== undefined && hasEmptied(operation, events)) return operation;
  const ready = readyIds(app);
  const spawned = events.findLast(({ type, worker }) => type === 'worker-spawned' && !ready.has(worker));
  const reasons = app.status === 'starting' ? [trouble, spawned, running] : [trouble ?? running];
  const [newest] = reasons.filter((event) => event !== undefined).toSorted((a, b) => b.seq - a.seq);
  return newest === undefined ? undefined : findOrigin(newest, events);
};

/** That nobody is there is what it was for; whatever went wrong before is no reason any more. */
const hasEmptied = ({ data, seq: since }: EventDocument, events: readonly EventDocument[]): boolean =>
  (data['kind'] === 'stop' || data['kind'] === 'delete') &&
  !events.some(({ type, seq }) => type === 'worker-spawned' && seq > since);

const describeReason = (reason: EventDocument, events: readonly EventDocument[]): string => {
  if (reason.type !== 'operation-started') return describeEvent(reason);
  const cause = findCause(reason, events);
  if (cause !== undefined) return describeEvent(cause);
  const going = isRunning(reason, events) ? ' and is under way' : '';
  return isOwn(reason)
    ? `Drover began ${reason.reason} by itself, to set something right`
    : `${reason.reason} was asked for${going}`;
};
