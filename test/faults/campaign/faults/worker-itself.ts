/** Workers that harm themselves: they close their listener, take all descriptors or memory, block, throw, or just end. */
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import { isAlive } from '../../../support/processes.ts';
import type { Wish } from '../app-under-load.ts';
import { type Fault, type Place, pick } from '../fault.ts';

const itself = (name: string, times: number, inject: Fault['inject'], more: Partial<Fault> = {}): Fault => ({
  name,
  family: 'the worker itself',
  scope: 'app',
  times,
  inject,
  ...more,
});

/** How long that lasts which ends by itself. */
const LASTS_MS = { block: 1600, 'close-listener': 400, 'take-descriptors': 1900 };

const wish =
  (act: keyof typeof LASTS_MS): Fault['inject'] =>
  async ({ app, random }) => {
    app.ask(pick(random, await app.pids()), act);
    await wait(LASTS_MS[act]);
  };

/** It ends by what it does; only what was connected to it may be lost. */
const endBy =
  (act: Wish): Fault['inject'] =>
  async ({ world, app, random }: Place) => {
    const pid = pick(random, await app.pids());
    const noteEnd = world.deaths.expect(app.name, pid);
    app.ask(pid, act);
    await eventually(`worker ${pid} ends`, () => !isAlive(pid), { withinMs: 20_000 });
    noteEnd();
  };

export const WORKER_ITSELF: readonly Fault[] = [
  itself('worker throws', 2, endBy('throw')),
  itself('worker exits with 0', 1, endBy('exit-0')),
  itself('worker meets its memory limit', 1, endBy('take-memory')),
  itself('worker blocks its loop', 1, wish('block')),
  itself('worker closes its listener and listens again', 1, wish('close-listener')),
  // Only where clients keep their connections: one that connects to a worker without descriptors is accepted and closed
  // by Node itself, which nothing outside of it can keep it from (docs/internals/faults.md).
  itself('worker has no descriptors left', 2, wish('take-descriptors'), { apps: ['socket', 'http2'] }),
];
