/**
 * One attempt of one probe, from its turn to its answer. Whoever is asked may hang: the attempt ends at its timeout all the
 * same, once, and what was held is freed by the check itself, which is told to stop.
 */
import type { Clock, ProbeConfig } from '../protocol/index.ts';
import { failed, missing } from './answers.ts';
import type { CallOff, CheckAnswer, ProbeResult, ProbeSchedule } from './edges.ts';
import type { Lanes } from './lanes.ts';

/** How long a check that was aborted may take to say so: a command has to be killed first. */
const GRACE_MS = 1000;

export interface AttemptEdges {
  readonly clock: Clock;
  readonly schedule: ProbeSchedule;
  readonly onDefect: (reason: string) => void;
}

export interface Attempt {
  readonly lanes: Lanes;
  readonly owner: string;
  readonly timeoutMs: ProbeConfig['timeoutMs'];
  readonly check: (signal: AbortSignal) => Promise<CheckAnswer>;
  readonly onEnd: (result: ProbeResult) => void;
}

/** Begins when it is its turn. The returned function ends it without a result. */
export const beginAttempt = (edges: AttemptEdges, { lanes, owner, timeoutMs, check, onEnd }: Attempt): CallOff => {
  const { clock, schedule, onDefect } = edges;
  const controller = new AbortController();
  const within = `within ${timeoutMs} ms`;
  let isOver = false;
  let stopWaiting: CallOff = () => {};
  const run = (release: () => void): void => {
    const startedAt = clock.monotonicMs();
    const end = ({ outcome, error, warning }: CheckAnswer): void => {
      if (isOver) return;
      isOver = true;
      stopWaiting();
      const at = clock.monotonicMs();
      // Too late is no answer, even a good one.
      const isLate = controller.signal.aborted && outcome === 'pass';
      const result = isLate ? failed(`no answer ${within}`) : { outcome, error, warning };
      onEnd({ ...result, durationMs: at - startedAt, at });
    };
    stopWaiting = schedule.background(timeoutMs, () => {
      // After a time in which this process did not run, the answer may be there already, and is looked at first.
      schedule.soon(() => {
        if (isOver) return;
        controller.abort(within);
        // The check has its own words for how far it came; where it does not end, these.
        stopWaiting = schedule.background(GRACE_MS, () => end(failed(`no answer ${within}`)));
      });
    });
    check(controller.signal)
      .then(end, (error: unknown) => {
        onDefect(`a probe's check threw: ${String(error)}`);
        end(missing(`it could not be asked: ${String(error)}`));
      })
      .finally(release);
  };
  const leave = lanes.enter(owner, run);
  return () => {
    if (isOver) return;
    isOver = true;
    leave();
    stopWaiting();
    controller.abort();
  };
};
