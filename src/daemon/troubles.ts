/** What can be wrong with a worker or an app, told from its events, and what ends it. */
import type { EventDocument, EventType } from '../protocol/index.ts';

interface Ending {
  readonly type: EventType;
  /** Which of several it is about, such as the name of a probe. */
  readonly field?: string;
}

const ENDINGS: Partial<Readonly<Record<EventType, Ending>>> = {
  'worker-blocked': { type: 'worker-unblocked' },
  'worker-hung': { type: 'worker-unblocked' },
  'worker-ejected': { type: 'worker-returned' },
  'probe-failed': { type: 'probe-passed', field: 'probe' },
  'check-failed': { type: 'check-passed', field: 'check' },
  'budget-exceeded': { type: 'budget-met', field: 'budget' },
  'crash-loop': { type: 'crash-loop-ended' },
};

/** Nobody is there, or not ready; the end of a process ends every other trouble of it. */
const ABSENT: ReadonlySet<EventType> = new Set(['worker-exited', 'worker-start-timeout', 'crash-loop', 'port-taken']);

export const isTrouble = ({ type }: EventDocument): boolean => type in ENDINGS || ABSENT.has(type);

/** Whether a later event says that a trouble is over. */
export const endsTrouble = (event: EventDocument, trouble: EventDocument): boolean => {
  if (event.seq <= trouble.seq) return false;
  const isOfSame = event.worker === trouble.worker;
  const { type, field } = ENDINGS[trouble.type] ?? {};
  if (event.type === type) {
    const isAboutIt = field === undefined || event.data[field] === trouble.data[field];
    // What every worker shows is told once, of the app.
    return isAboutIt && (isOfSame || event.worker === undefined);
  }
  if (event.type === 'worker-exited') return isOfSame && !ABSENT.has(trouble.type);
  // A loop of crashes is over when a worker has held out.
  return event.type === 'worker-ready' && trouble.type !== 'crash-loop' && (isOfSame || isOfApp(trouble));
};

const isOfApp = ({ type, worker }: EventDocument): boolean => ABSENT.has(type) && worker === undefined;

export const isOver = (trouble: EventDocument, events: readonly EventDocument[]): boolean =>
  events.some((event) => endsTrouble(event, trouble));
