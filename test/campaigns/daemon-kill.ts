/**
 * The daemon killed with SIGKILL under load: the workers go on serving, the guard brings the daemon back, and it adopts
 * the same workers.
 */
import { join } from 'node:path';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const WORKERS = 4;
const BACK_WITHIN_MS = 2000;

interface DaemonKillResult {
  readonly answered: number;
  readonly lost: number;
  readonly lostByReason: Readonly<Record<string, number>>;
  /** From the kill until a daemon lists all workers, with the same pids, as ready. */
  readonly backMs: readonly number[];
  readonly keptPids: boolean;
}

export const daemonKill: Campaign = {
  name: 'daemon-kill',
  shows: 'the daemon killed under load: nothing lost, the same workers adopted within 2 s',
  run: async (run) => {
    for (const mode of ['kept', 'new'] as const) {
      const kills = run.isSmall ? 2 : 10;
      const key = `${mode}, ${kills} kills`;
      try {
        const { answered, lost, lostByReason, backMs, keptPids } = await run.row(key, async () => measure(mode, kills));
        const slowest = Math.max(...backMs);
        run.table(
          ['traffic', 'kills', 'answered', 'lost', 'slowest back ms'],
          [[mode, kills, answered, lost, fixed(slowest, 0)]],
        );
        run.check(
          `${key}: nothing lost`,
          lost === 0 && answered > 0,
          `${lost} of ${answered} ${JSON.stringify(lostByReason)}`,
        );
        run.check(`${key}: the same workers`, keptPids, String(keptPids));
        run.bound(`${key}: adopted within ${BACK_WITHIN_MS} ms`, slowest <= BACK_WITHIN_MS, `${fixed(slowest, 0)} ms`);
      } catch (error) {
        run.broken(key, error);
      }
    }
  },
};

async function measure(mode: 'kept' | 'new', kills: number): Promise<DaemonKillResult> {
  await using drover = await openDrover();
  const port = await freePort();
  await drover.start([SCRIPT, '--name', 'app', '--instances', String(WORKERS)], { env: { APP_PORT: String(port) } });
  await drover.untilReady('app', WORKERS);
  const pids = sorted(await drover.pids('app'));
  const load = await startLoad({ mode, port, connections: 30, pauseMs: [2, 20], seconds: 300 });
  await load.untilAnswered(50);
  const backMs: number[] = [];
  let keptPids = true;
  for (let count = 0; count < kills; count++) {
    const { pid } = await drover.daemon();
    if (pid === null) throw new Error('no daemon is running');
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    await eventually('a daemon is back with all workers', async () => {
      const { workers } = await drover.app('app');
      return workers.length === WORKERS && workers.every(({ status }) => status === 'ready');
    });
    backMs.push(performance.now() - killedAt);
    keptPids &&= sorted(await drover.pids('app')) === pids;
    await load.untilAnswered(100);
  }
  const { answered, lost, lostByReason } = await load.stop();
  return { answered, lost, lostByReason, backMs, keptPids };
}

const sorted = (pids: readonly number[]): string => pids.toSorted((a, b) => a - b).join(',');
