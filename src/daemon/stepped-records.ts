/**
 * The supervisor's records, telling of each step of an operation: for tests that end the daemon there (`die-at-step.ts`).
 * Steps: `operation-recording` (it is written and not committed), `operation-recorded`, `operation-<phase>` when it has
 * come to a phase, `operation-ended`; `worker-starting` when a worker is on record that is about to be started,
 * `worker-started` when its pid is.
 */
import type { SupervisorEdges } from '../supervisor/index.ts';

type Records = SupervisorEdges['records'];

export const steppedRecords = (records: Records, onStep: (step: string) => void): Records => ({
  ...records,
  transaction(work) {
    const result = records.transaction(work);
    onStep('operation-recorded');
    return result;
  },
  workers: {
    ...records.workers,
    put(record) {
      records.workers.put(record);
      onStep(record.pid === 0 ? 'worker-starting' : 'worker-started');
    },
  },
  operations: {
    begin(operation) {
      const begun = records.operations.begin(operation);
      onStep('operation-recording');
      return begun;
    },
    beginUnasked: (operation) => records.operations.beginUnasked(operation),
    advance(id, phase, state) {
      records.operations.advance(id, phase, state);
      onStep(`operation-${phase}`);
    },
    end(id, phase, receipt) {
      records.operations.end(id, phase, receipt);
      onStep('operation-ended');
    },
  },
});
