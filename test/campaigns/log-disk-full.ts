/**
 * The disk of an app's logs full for a minute under load: no worker may end, no request may be lost, and every line
 * that is not in a file must have been counted, reported to the daemon and noted in the file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { type LoadReport, startLoad } from '../support/load/index.ts';
import { readApp, readEvents } from '../support/service.ts';
import { openSmallDisk, whyNoSmallDisk } from '../support/small-disk.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'chatty.mjs');
const WORKERS = 4;
const DISK_BYTES = 96 * 1024 * 1024;
/** What is free when the workers start: full within a second. */
const ROOM_BYTES = 512 * 1024;
const NOTE = /^drover: (\d+) lines? \(\d+ bytes\) of output were dropped here/;

interface WorkerAccount {
  readonly worker: string;
  readonly printed: number;
  readonly inFiles: number;
  readonly noted: number;
  readonly reported: number;
}

interface FullDiskResult {
  readonly fullMs: number;
  readonly answered: number;
  readonly lost: number;
  readonly lostByReason: LoadReport['lostByReason'];
  readonly p99Ms: number | null;
  readonly exits: number;
  readonly began: number;
  readonly ended: number;
  readonly accounts: readonly WorkerAccount[];
}

export const logDiskFull: Campaign = {
  name: 'log-disk-full',
  shows: 'the log disk full under load: no worker exits, no request is lost, every line dropped is counted',
  run: async (run) => {
    const refusal = whyNoSmallDisk();
    if (refusal !== false) return run.say(`skipped: ${refusal}`);
    const seconds = run.isSmall ? 5 : 60;
    const result = await run.row(`${seconds} s`, async () => measure(seconds));
    const { answered, lost, accounts } = result;
    run.table(
      ['worker', 'printed', 'in files', 'dropped, noted in the file', 'dropped, reported'],
      accounts.map(({ worker, printed, inFiles, noted, reported }) => [worker, printed, inFiles, noted, reported]),
    );
    run.say(`full for ${fixed(result.fullMs / 1000)} s, ${answered} requests answered, p99 ${fixed(result.p99Ms)} ms`);
    run.check('no worker exits', result.exits === 0, String(result.exits));
    run.check('no request is lost', lost === 0, `${lost} of ${answered + lost} ${JSON.stringify(result.lostByReason)}`);
    run.check('requests were answered all the time', answered > seconds * 50, String(answered));
    run.check(
      'every worker dropped lines, and the daemon said so when it began and when it ended',
      accounts.every(({ reported }) => reported > 0) && result.began >= WORKERS && result.ended === result.began,
      `${result.began} began, ${result.ended} ended`,
    );
    run.check(
      'every line is in a file, or counted, reported and noted',
      accounts.length === WORKERS &&
        accounts.every((one) => one.printed === one.inFiles + one.reported && one.noted === one.reported),
      JSON.stringify(accounts),
    );
  },
};

async function measure(seconds: number): Promise<FullDiskResult> {
  await using drover = await openDrover();
  using disk = openSmallDisk(DISK_BYTES, join(drover.home, 'logs', 'app'));
  disk.fill(ROOM_BYTES);
  const port = await freePort();
  await drover.start([SCRIPT, '--name', 'app', '--instances', String(WORKERS)], { env: { APP_PORT: String(port) } });
  await drover.untilReady('app', WORKERS);
  const common = { port, seconds: seconds + 120 };
  const loads = [
    await startLoad({ ...common, mode: 'kept', connections: 12, pauseMs: [10, 30] }),
    await startLoad({ ...common, mode: 'new', connections: 4, pauseMs: [10, 30] }),
  ];
  await eventually('every worker drops lines', async () => (await droppingWorkers(drover)) === WORKERS, {
    withinMs: 30_000,
  });
  const fullAt = performance.now();
  await wait(seconds * 1000);
  disk.free();
  const fullMs = performance.now() - fullAt;
  await eventually('every worker is done with dropping', async () => (await droppingWorkers(drover)) === 0, {
    withinMs: 30_000,
  });
  // With room again every worker prints once more: its last number is how many lines it printed.
  await Promise.all(loads.map(async (load) => load.untilAnswered(WORKERS * 50)));
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  const events = await readEvents(drover, 'app');
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  return {
    fullMs,
    answered: reports.reduce((sum, report) => sum + report.answered, 0),
    lost: reports.reduce((sum, report) => sum + report.lost, 0),
    lostByReason: Object.assign({}, ...reports.map(({ lostByReason }) => lostByReason)) as LoadReport['lostByReason'],
    p99Ms: Math.max(...reports.map(({ latencyMs }) => latencyMs.p99 ?? 0)),
    exits: count('worker-exited'),
    began: count('log-dropped'),
    ended: count('log-drop-ended'),
    accounts: await accountFor(drover, disk.path),
  };
}

const droppingWorkers = async (drover: Drover): Promise<number> =>
  (await readApp(drover, 'app')).workers.filter(({ logDropped }) => logDropped?.dropping).length;

/** What each worker printed, by its files and by what the daemon knows. */
async function accountFor(drover: Drover, directory: string): Promise<WorkerAccount[]> {
  const { workers } = await readApp(drover, 'app');
  return workers.map(({ id, slot, logDropped }) => {
    const files = readdirSync(directory).filter((name) => name.startsWith(`${slot}.`) && name.endsWith('.log'));
    const lines = files.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
    const numbers = lines.flatMap((line) => /^\d+ (\d+) x{150}$/.exec(line)?.[1] ?? []).map(Number);
    return {
      worker: id,
      printed: numbers.reduce((most, number) => Math.max(most, number), 0),
      inFiles: numbers.length,
      noted: lines.reduce((sum, line) => sum + Number(NOTE.exec(line)?.[1] ?? 0), 0),
      reported: logDropped?.lines ?? 0,
    };
  });
}
