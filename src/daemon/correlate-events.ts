/**
 * Gives events that belong together one id, `data.correlation` (which do, is in `core/correlation.ts`). It is made like the id
 * of a trace, and is that of the caller where a request came with a `traceparent`, so that what a deployment did is found
 * under the trace of whoever deployed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { isCorrelationIdle, newCorrelation, stepCorrelation, type CorrelationState } from '../core/index.ts';
import type { Clock, EventInput } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';
import { inherit } from './inherit.ts';

/** Of the request that is being answered. */
const requests = new AsyncLocalStorage<string>();

const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
/** As far back as an operation that an earlier daemon began is looked for. */
const MOST_RECALLED = 1000;

const newId = (): string => randomBytes(16).toString('hex');

/** Runs `work` as a request with this header, if it has one: what it asks for is all of one id. */
export const inRequest = <Result>(traceparent: string | undefined, work: () => Result): Result => {
  const [, traceId = NO_TRACE] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return requests.run(traceId === NO_TRACE ? newId() : traceId, work);
};

/** The same store; what is appended to its events gets their ids. */
export const correlateEvents = (store: Store, clock: Clock): Store => {
  const states = new Map<string, CorrelationState>();
  const recall = (app: string, operation: string): string | null => {
    const begun = store.events
      .list({ app, limit: MOST_RECALLED })
      .findLast(({ type, data }) => type === 'operation-started' && data['operation'] === operation);
    return (begun?.data['correlation'] as string | undefined) ?? null;
  };
  const append = (event: EventInput): number => {
    const { app } = event;
    if (app === null) return store.events.append(event);
    const { state, correlation } = stepCorrelation(states.get(app) ?? newCorrelation(), event, clock.monotonicMs(), {
      asked: () => requests.getStore() ?? newId(),
      fresh: newId,
      recall: (operation) => recall(app, operation),
    });
    if (isCorrelationIdle(state)) states.delete(app);
    else states.set(app, state);
    return store.events.append(correlation === null ? event : { ...event, data: { ...event.data, correlation } });
  };
  return inherit(store, { events: inherit(store.events, { append }) });
};
