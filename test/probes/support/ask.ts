/** Asks a probe's question through the door of the room, with the real clock and the real checks. */
import { openProbes, type ProbeResult, type ProbesOptions, type WatchedWorker } from '../../../src/probes/index.ts';
import type { Clock, ProbeConfig, ProbeKind, ProbeTarget } from '../../../src/protocol/index.ts';
import { systemSchedule } from '../../../src/supervisor/index.ts';

export const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export const probe = (target: ProbeTarget, change: Partial<ProbeConfig> = {}): ProbeConfig => ({
  target,
  initialDelayMs: 0,
  periodMs: 60_000,
  timeoutMs: 1000,
  successThreshold: 1,
  failureThreshold: 3,
  ...change,
});

/** A worker that listens on nothing but what `change` says. */
export const worker = (change: Partial<WatchedWorker>): WatchedWorker => ({
  id: 'shop/0',
  generation: 1,
  probes: {},
  startedAt: clock.monotonicMs(),
  privateSocket: () => null,
  address: () => null,
  surroundings: () => ({ cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, uid: null, gid: null }),
  lastReport: () => null,
  ...change,
});

export const open = (options: Partial<ProbesOptions> = {}): ReturnType<typeof openProbes> =>
  openProbes({
    clock,
    schedule: systemSchedule,
    onDefect: (reason) => {
      throw new Error(reason);
    },
    ...options,
  });

/** The first result of one probe of one worker. */
export async function ask(
  target: ProbeTarget,
  config: Partial<ProbeConfig> = {},
  change: Partial<WatchedWorker> = {},
): Promise<ProbeResult> {
  const probes = open();
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const watched = worker({ probes: { readiness: probe(target, config) }, ...change });
  // The schedule of probes keeps no process alive, and the check may have nothing under way that does.
  const anchor = setInterval(() => undefined, 1000);
  probes.watch(watched, {
    onResult: (_kind: ProbeKind, result) => resolve(result),
    onChange: () => undefined,
  });
  const result = await promise;
  clearInterval(anchor);
  probes.close();
  return result;
}
