/** Workers that speak for their agent: garbage, floods, and messages that are well-formed and not true. */
import { eventually } from '../../../support/eventually.ts';
import type { Wish } from '../app-under-load.ts';
import { type Fault, pick, Violation } from '../fault.ts';
import { carryOut } from '../operations.ts';

const ANSWERS_WITHIN_MS = 3000;

/** Whatever one worker says, the daemon answers, takes it for the truth about nobody else, and can replace it. */
const saying =
  (wish: Wish): Fault['inject'] =>
  async ({ world, app, random }) => {
    const pid = pick(random, await app.pids());
    const daemon = await world.daemonPid();
    app.ask(pid, wish);
    await eventually('the daemon answers', async () => (await world.daemonPid()) > 0, {
      withinMs: ANSWERS_WITHIN_MS,
    });
    await carryOut(world, app, 'reload');
    if ((await world.daemonPid()) !== daemon) throw new Violation('the daemon has ended of it');
  };

// What is no message is reported as a defect of the worker, once.
const agent = (name: string, wish: Wish): Fault => ({
  name,
  family: 'agents',
  scope: 'app',
  times: 1,
  provokes: ['defect', 'port-vanished'],
  inject: saying(wish),
});

export const AGENTS: readonly Fault[] = [
  agent('agent sends garbage', 'garbage'),
  agent('agent floods the daemon', 'flood'),
  agent('agent lies', 'lies'),
];
