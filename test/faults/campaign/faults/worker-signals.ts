/** Workers killed, frozen, and killed again while they come back. */
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import { type Fault, type Place, pick } from '../fault.ts';

const worker = (name: string, times: number, inject: Fault['inject'], more: Partial<Fault> = {}): Fault => ({
  name,
  family: 'workers',
  scope: 'app',
  times,
  inject,
  ...more,
});

/** How long a frozen worker is frozen: longer than its siblings take to notice, shorter than a client waits. */
const FROZEN_MS = 1200;

const killOne = async ({ world, app, random }: Place, signal: NodeJS.Signals): Promise<number> => {
  const pid = pick(random, await app.pids());
  world.deaths.kill(app.name, pid, signal);
  return pid;
};

const untilReplacedBy = async ({ app }: Place, gone: ReadonlySet<number>): Promise<number> =>
  eventually('another worker is started', async () => {
    const { workers } = await app.document();
    return workers.find(({ pid }) => pid !== null && !gone.has(pid))?.pid ?? undefined;
  });

export const WORKER_SIGNALS: readonly Fault[] = [
  worker('worker killed', 4, async (place) => void (await killOne(place, 'SIGKILL'))),
  worker('worker ended by SIGSEGV', 2, async (place) => void (await killOne(place, 'SIGSEGV'))),
  worker('worker ended by SIGABRT', 1, async (place) => void (await killOne(place, 'SIGABRT'))),
  worker('worker frozen', 2, async ({ app, random }) => {
    const pid = pick(random, await app.pids());
    process.kill(pid, 'SIGSTOP');
    await wait(FROZEN_MS);
    process.kill(pid, 'SIGCONT');
  }),
  worker('worker frozen, then killed', 1, async ({ world, app, random }) => {
    const pid = pick(random, await app.pids());
    process.kill(pid, 'SIGSTOP');
    await wait(FROZEN_MS / 2);
    world.deaths.kill(app.name, pid);
  }),
  worker('all workers of an app killed', 2, async ({ world, app }) => {
    for (const pid of await app.pids()) world.deaths.kill(app.name, pid);
  }),
  worker(
    'worker killed, and its successor at its start',
    2,
    async (place) => {
      const { world, app } = place;
      const before = new Set(await app.pids());
      await killOne(place, 'SIGKILL');
      world.deaths.kill(app.name, await untilReplacedBy(place, before));
    },
    { provokes: ['worker-backoff'] },
  ),
  worker('worker and its sibling killed one after the other', 1, async (place) => {
    const { world, app } = place;
    const gone = await killOne(place, 'SIGKILL');
    await eventually('it is replaced', async () => {
      const pids = await app.pids();
      return pids.length === app.instances && !pids.includes(gone);
    });
    for (const pid of await app.pids()) {
      world.deaths.kill(app.name, pid);
      break;
    }
  }),
];
