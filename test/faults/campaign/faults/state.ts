/** The state damaged, cut, or gone, and the home with it: the workers serve on, and the daemon finds its way back. */
import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../../support/eventually.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { type Apart, openApart } from '../apart.ts';
import { type Fault, Violation } from '../fault.ts';

const BACKUP_WITHIN_MS = 20_000;

const backups = ({ drover }: Apart): readonly string[] => {
  const folder = join(drover.home, 'backups');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('-a1.db')) : [];
};

/** Does the harm while the daemon lives, kills it, and wants to see the same workers, and a backup in use. */
const harmed =
  (harm: (home: string) => void): Fault['inject'] =>
  async () => {
    await using folder = await temporaryFolder();
    await using apart = await openApart(folder.path);
    const { drover } = apart;
    await eventually('a backup was taken', () => backups(apart).length > 0, { withinMs: BACKUP_WITHIN_MS });
    await apart.withSameWorkers(async () => {
      harm(drover.home);
      await drover.killDaemon();
      await drover.untilReady('app', 2);
    });
    if ((await drover.daemon()).state?.fallBack === null) throw new Violation('no backup took the place of the state');
    await apart.change('reload');
    await apart.finish();
  };

const state = (name: string, inject: Fault['inject'], isLong = false): Fault => ({
  name,
  family: 'state',
  scope: 'apart',
  times: 1,
  isLong,
  inject,
});

/** Again where the daemon has made something anew meanwhile: it looks each second. */
const remove = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });

export const STATE: readonly Fault[] = [
  state(
    'database corrupt',
    harmed((home) => {
      const file = join(home, 'state.db');
      writeFileSync(file, Buffer.alloc(Math.max(4096, statSync(file).size), 0x5a));
      truncateSync(`${file}-wal`, 0);
    }),
  ),
  state(
    'database truncated',
    harmed((home) => {
      const file = join(home, 'state.db');
      truncateSync(file, Math.floor(statSync(file).size / 2));
      truncateSync(`${file}-wal`, 0);
    }),
    true,
  ),
  state('home directory removed, and the daemon killed', async () => {
    await using folder = await temporaryFolder();
    await using apart = await openApart(folder.path);
    const { drover } = apart;
    const daemon = await drover.daemon();
    await apart.withSameWorkers(async () => {
      for (const name of readdirSync(drover.home)) remove(join(drover.home, name));
      process.kill(daemon.pid ?? 0, 'SIGKILL');
      await eventually('another daemon answers', async () => (await drover.daemon()).running);
    });
    await apart.finish({ isKnown: false });
  }),
  state('home directory removed', async () => {
    await using folder = await temporaryFolder();
    await using apart = await openApart(folder.path);
    const { drover } = apart;
    const daemon = await drover.daemon();
    await apart.withSameWorkers(async () => {
      remove(drover.home);
      // A command that changes something finds the daemon that runs, not a new one beside it.
      await eventually('the daemon that runs answers again', async () => (await drover.daemon()).pid === daemon.pid, {
        withinMs: 30_000,
      });
    });
    await apart.change('reload');
    await apart.finish();
  }),
];
