/** The causal chain behind the present state of an app, told from its events: each with what it followed from. */
import type { AppDocument, EventDocument, WhyDocument } from '../protocol/index.ts';

/** Events that explain nothing by themselves: the ordinary course of a worker's life. */
const ORDINARY = new Set(['port-opened', 'shard-covered', 'shard-uncovered', 'worker-drained']);
const LINKS_SHOWN = 20;

export const explain = (app: AppDocument, events: readonly EventDocument[]): WhyDocument => {
  const telling = events.filter((event) => !ORDINARY.has(event.type)).slice(-LINKS_SHOWN);
  return {
    app: app.name,
    chain: telling.map((event, index) => ({
      at: event.at,
      event: describeEvent(event),
      because: causeOf(event, telling.slice(0, index)),
    })),
    summary: summarize(app, telling),
  };
};

const describeEvent = (event: EventDocument): string =>
  `${event.worker ?? event.app ?? 'drover'}: ${event.type.replaceAll('-', ' ')}${event.reason === null ? '' : ` (${event.reason})`}`;

/** Which earlier kinds of event of the same worker bring an event about, most direct first. */
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  'worker-spawned': ['worker-exited', 'worker-backoff', 'operation-started'],
  'worker-ready': ['worker-spawned', 'worker-adopted'],
  'worker-backoff': ['worker-exited'],
  'crash-loop': ['worker-exited'],
  'worker-draining': ['operation-started'],
  'worker-killed': ['worker-draining', 'worker-start-timeout', 'worker-hung'],
  'worker-exited': ['worker-killed', 'worker-draining', 'worker-start-timeout', 'worker-hung', 'port-taken'],
  'operation-ended': ['worker-start-timeout', 'worker-exited', 'port-taken', 'operation-started'],
  'worker-adopted': ['daemon-recovered', 'daemon-started'],
};

const causeOf = (event: EventDocument, before: readonly EventDocument[]): string => {
  for (const type of CAUSES[event.type] ?? []) {
    const cause = before.findLast(
      (earlier) =>
        earlier.type === type &&
        (earlier.worker === undefined || event.worker === undefined || earlier.worker === event.worker),
    );
    if (cause !== undefined) return describeEvent(cause);
  }
  if (event.type === 'operation-started') return 'it was asked for';
  return event.reason ?? 'nothing earlier is on record';
};

const summarize = (app: AppDocument, events: readonly EventDocument[]): string => {
  const ready = app.workers.filter((worker) => worker.ready).length;
  const state = `${app.name} is ${app.status}: ${ready} of ${app.instances} workers are ready`;
  const trouble = events.findLast((event) =>
    ['crash-loop', 'worker-exited', 'worker-start-timeout', 'port-taken', 'worker-hung'].includes(event.type),
  );
  const operation = events.findLast((event) => event.type === 'operation-ended');
  if (app.status !== 'online' && trouble !== undefined) return `${state}, because ${describeEvent(trouble)}.`;
  return operation?.reason ? `${state}. Last change: ${operation.reason}.` : `${state}.`;
};
