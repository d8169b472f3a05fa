/**
 * Versions that do not come up, or do not go: a reload into one must fail and leave the old workers serving, and what
 * does not go when it is asked must be made to, with all that it started.
 */
import { eventually } from '../../../support/eventually.ts';
import { isAlive } from '../../../support/processes.ts';
import type { AppUnderLoad, BootWish } from '../app-under-load.ts';
import { type Fault, pick, Violation } from '../fault.ts';
import { begin, carryOut, untilEnded } from '../operations.ts';

const boot = (name: string, inject: Fault['inject'], more: Partial<Fault> = {}): Fault => ({
  name,
  family: 'boots',
  scope: 'app',
  times: 1,
  inject,
  ...more,
});

async function whileBoots<Result>(app: AppUnderLoad, wish: BootWish, work: () => Promise<Result>): Promise<Result> {
  app.wishForBoots(wish);
  try {
    return await work();
  } finally {
    app.wishForBoots(null);
  }
}

/** A reload whose replacements do not get ready: the old workers stay, the same as before. */
const failingReload =
  (wish: BootWish): Fault['inject'] =>
  async ({ world, app }) => {
    const before = await app.pids();
    const receipt = await whileBoots(app, wish, async () => untilEnded(world, await begin(world, app, 'reload')));
    if (receipt.outcome !== 'failed') throw new Violation(`a reload that cannot succeed ${receipt.outcome}`);
    const after = await app.pids();
    if (after.join() !== before.join())
      throw new Violation(`a failed reload changed ${before.join()} into ${after.join()}`);
  };

/** A worker dies while nothing that is started comes up, until the wish is over. */
const failingRestart =
  (wish: BootWish): Fault['inject'] =>
  async ({ world, app, random }) =>
    whileBoots(app, wish, async () => {
      const pid = pick(random, await app.pids());
      world.deaths.kill(app.name, pid);
      await eventually('a start has failed', async () => {
        const { workers } = await app.document();
        return workers.some(({ status }) => status === 'backoff');
      });
    });

const reloadInto =
  (wish: BootWish): Fault['inject'] =>
  async ({ world, app }) =>
    void (await whileBoots(app, wish, async () => carryOut(world, app, 'reload')));

export const BOOTS: readonly Fault[] = [
  boot('reload into a version that throws', failingReload('throw'), { provokes: ['worker-exited'] }),
  boot('reload into a version that exits with 0', failingReload('exit-0'), { provokes: ['worker-exited'] }),
  boot('reload into a version that hangs', failingReload('hang'), {
    provokes: ['worker-exited', 'worker-start-timeout', 'worker-killed'],
  }),
  boot('reload into a version that never listens', failingReload('never-listen'), {
    provokes: ['worker-exited', 'worker-start-timeout'],
  }),
  boot('worker killed while starts throw', failingRestart('throw'), { provokes: ['worker-exited', 'worker-backoff'] }),
  boot('worker killed while starts exit with 0', failingRestart('exit-0'), {
    provokes: ['worker-exited', 'worker-backoff'],
  }),
  boot('reload into a version that boots slowly', reloadInto('slow')),
  boot(
    'workers that ignore SIGTERM are replaced',
    async (place) => {
      await reloadInto('ignore-sigterm')(place);
      await carryOut(place.world, place.app, 'reload');
    },
    { provokes: ['worker-killed'] },
  ),
  boot(
    'children that outlive their worker',
    async (place) => {
      const { world, app, random } = place;
      await reloadInto('leave-children')(place);
      const pid = pick(random, await app.pids());
      const noteEnd = world.deaths.expect(app.name, pid);
      app.ask(pid, 'exit-0');
      await eventually('it ends', () => !isAlive(pid));
      noteEnd();
      // The others leave theirs when they are replaced.
      await carryOut(world, app, 'reload');
    },
    { provokes: ['worker-exited'] },
  ),
];
