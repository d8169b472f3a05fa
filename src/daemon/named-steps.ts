/**
 * Names every step of a change at which its daemon may die: each write to the records, each process and each change of
 * who takes traffic, as they pass the supervisor's edges. Only where somebody wants to be told of them: tests have the
 * daemon killed there (`die-at-step.ts`).
 */
import type { SupervisorEdges } from '../supervisor/index.ts';
import { inherit } from './inherit.ts';

/**
 * In the order in which a reload comes by them. `operation-…ing` and `process-starting` are the moments before the deed,
 * the others those after it; a deed that is part of a transaction is not on the disk by then: the beginning
 * of an operation is at `operation-recorded`.
 */
export const NAMED_STEPS = [
  'operation-beginning',
  'operation-begun',
  'operation-recorded',
  'operation-advanced',
  'process-announced',
  'process-started',
  'process-noted',
  'role-noted',
  'phase-noted',
  'traffic-attached',
  'traffic-detached',
  'worker-removed',
  'operation-ending',
  'operation-ended',
  'operation-settled',
] as const;
export type NamedStep = (typeof NAMED_STEPS)[number];

/** The same edges; `onStep` hears `<app> <step>`. */
export const nameSteps = (edges: SupervisorEdges, onStep: (step: string) => void): SupervisorEdges => {
  const { operations, workers } = edges.records;
  const { processes, traffic } = edges;
  /** An operation is advanced by its id alone; of one that was taken over the app is not known here. */
  const apps = new Map<string, string>();
  /** Whose operation the transaction has begun that is going on. */
  let beginning: string | null = null;
  const say = (app: string, step: NamedStep): void => onStep(`${app} ${step}`);
  return {
    ...edges,
    records: inherit(edges.records, {
      transaction: (work) => {
        const result = edges.records.transaction(work);
        const app = beginning;
        beginning = null;
        if (app !== null) say(app, 'operation-recorded');
        return result;
      },
      events: inherit(edges.records.events, {
        append: (event) => {
          const seq = edges.records.events.append(event);
          // Written right after the end, which is on the disk by then.
          if (event.type === 'operation-ended') say(event.app ?? '', 'operation-settled');
          return seq;
        },
      }),
      operations: inherit(operations, {
        begin: (operation) => {
          say(operation.app, 'operation-beginning');
          const begun = operations.begin(operation);
          apps.set(begun.id, operation.app);
          beginning = operation.app;
          say(operation.app, 'operation-begun');
          return begun;
        },
        advance: (id, phase, state) => {
          operations.advance(id, phase, state);
          const app = apps.get(id);
          if (app !== undefined) say(app, 'operation-advanced');
        },
        end: (id, phase, receipt) => {
          say(receipt.app, 'operation-ending');
          operations.end(id, phase, receipt);
          say(receipt.app, 'operation-ended');
        },
      }),
      workers: inherit(workers, {
        put: (record) => {
          workers.put(record);
          say(record.app, record.pid === 0 ? 'process-announced' : 'process-noted');
        },
        setPhase: (key, phase) => {
          workers.setPhase(key, phase);
          say(key.app, 'phase-noted');
        },
        setRole: (key, role) => {
          workers.setRole(key, role);
          say(key.app, 'role-noted');
        },
        remove: (key) => {
          workers.remove(key);
          say(key.app, 'worker-removed');
        },
      }),
    }),
    processes: inherit(processes, {
      start: (request, listener) => {
        const started = processes.start(request, listener);
        say(request.config.name, 'process-started');
        return started;
      },
    }),
    traffic: inherit(traffic, {
      attach: (holder) => {
        traffic.attach(holder);
        say(appOf(holder.id), 'traffic-attached');
      },
      detach: (holderId) => {
        traffic.detach(holderId);
        say(appOf(holderId), 'traffic-detached');
      },
    }),
  };
};

/** A holder is `app/slot#generation`; a name of an app has no slash. */
const appOf = (holderId: string): string => holderId.slice(0, holderId.indexOf('/'));
