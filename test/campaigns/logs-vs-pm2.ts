/**
 * Logs side by side with pm2 and pm2-logrotate: the same workers print the same lines at the same rate, then as fast as
 * they can, and every line is looked for afterwards. What a line costs the manager is counted while the rate is kept.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { droverLogs } from '../../bench/log-contenders/drover.ts';
import { LineAccount, type LineCounts } from '../support/line-account.ts';
import type { LogContender } from '../../bench/log-contenders/log-contender.ts';
import { pm2ClusterLogs, pm2ForkLogs } from '../../bench/log-contenders/pm2.ts';
import { readCpuMs, readPeakBytes } from '../../bench/processes.ts';
import { installPackage } from '../provisions.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'prints.mjs');
const WORKERS = 4;
const MB = 1e6;
const CONTENDERS: readonly LogContender[] = [droverLogs, pm2ForkLogs, pm2ClusterLogs];

interface Printed extends LineCounts {
  readonly seconds: number;
  /** Of a core, while they printed. */
  readonly managerShare: number;
  readonly rotatorShare: number;
  readonly managerPeakMegabytes: number;
  readonly rotations: number;
  readonly largestMegabytes: number;
}

export const logsVsPm2: Campaign = {
  name: 'logs-vs-pm2',
  shows: 'lines lost, and what printing costs the manager, beside pm2 with pm2-logrotate',
  run: async (run) => {
    installPackage(join(import.meta.dirname, '../../bench'), 'bench', (line) => run.say(line));
    const rate = run.isSmall ? 4 : 10;
    // As `pm2-logrotate` has it by itself; a tenth of what Drover has.
    const maxMegabytes = run.isSmall ? 1 : 10;
    const atRate = await measureAll(run, `${rate} MB/s`, { rate, seconds: run.isSmall ? 6 : 60, maxMegabytes });
    // For what was printed: the workers of pm2's cluster mode write themselves, and did not keep the rate.
    const [ours, ...theirs] = atRate.map(([, one]) => (one.managerShare * one.seconds * 1e6) / (one.printed / 1000));
    run.bound(
      `at ${rate} MB/s the daemon takes less CPU for a line than pm2’s`,
      theirs.every((other) => (ours ?? Number.NaN) < other),
      `${[ours, ...theirs].map((us) => fixed(us ?? Number.NaN, 0)).join(', ')} µs for 1,000 lines`,
    );
    await measureAll(run, 'as fast as they can', { rate: 0, seconds: run.isSmall ? 2 : 15, maxMegabytes });
  },
};

interface Wish {
  /** MB a second of all workers together; 0: as fast as they can. */
  readonly rate: number;
  readonly seconds: number;
  /** Of a file, from where on it is rotated. */
  readonly maxMegabytes: number;
}

async function measureAll(
  run: CampaignRun,
  what: string,
  wish: Wish,
): Promise<readonly (readonly [string, Printed])[]> {
  const all: [string, Printed][] = [];
  for (const contender of CONTENDERS) {
    const key = `${contender.name}, ${what}`;
    try {
      all.push([contender.name, await run.row(key, async () => measure(contender, wish))]);
    } catch (error) {
      run.broken(key, error);
    }
  }
  run.table(
    [
      what,
      'lines printed',
      'lines/s',
      'found',
      'lost',
      'doubled',
      'broken',
      'rotations',
      'manager CPU %',
      'rotator CPU %',
      'manager peak MB',
      'largest file MB',
    ],
    all.map(([name, one]) => [
      name,
      one.printed,
      fixed(one.printed / one.seconds, 0),
      one.found,
      one.lost,
      one.doubled,
      one.broken,
      one.rotations,
      fixed(one.managerShare * 100),
      fixed(one.rotatorShare * 100),
      fixed(one.managerPeakMegabytes, 0),
      fixed(one.largestMegabytes),
    ]),
  );
  for (const [name, { lost, doubled, broken, printed, rotations }] of all) {
    if (name !== droverLogs.name) continue;
    const isWhole = lost === 0 && doubled === 0 && broken === 0 && printed > 0;
    run.check(`${what}: every line is there once and whole`, isWhole, `${printed} lines, ${rotations} rotations`);
  }
  return all;
}

async function measure(contender: LogContender, { rate, seconds, maxMegabytes }: Wish): Promise<Printed> {
  await using folder = await temporaryFolder('printers');
  const control = join(folder.path, 'control');
  mkdirSync(control);
  const env = { CONTROL: control, RATE: String((rate * MB) / WORKERS), START: '1' };
  await using printers = await contender.start({ script: SCRIPT, workers: WORKERS, env, maxMegabytes });
  const { manager } = printers;
  const read = (): { at: number; manager: number; rotator: number } => ({
    at: performance.now(),
    manager: readCpuMs([manager]),
    rotator: printers.readRotatorCpuMs(),
  });
  // Whatever the start cost is over, and all print from the same moment on.
  await eventually('the manager has come to rest', restOf(manager), { withinMs: 60_000, everyMs: 500 });
  writeFileSync(join(control, 'start'), '');
  const before = read();
  await wait(seconds * 1000);
  const after = read();
  const elapsedMs = after.at - before.at;
  const counts = await stopPrinters(control);
  const printedFor = (performance.now() - before.at) / 1000;
  await printers.untilWritten();
  const account = new LineAccount(counts);
  for await (const line of printers.readLines()) account.note(line);
  return {
    ...account.counts(),
    seconds: printedFor,
    managerShare: (after.manager - before.manager) / elapsedMs,
    rotatorShare: (after.rotator - before.rotator) / elapsedMs,
    managerPeakMegabytes: readPeakBytes(manager) / MB,
    rotations: printers.countRotations(),
    largestMegabytes: printers.readLargestBytes() / MB,
  };
}

/** Whether it has used less than a twentieth of a core since it was asked last. */
function restOf(pid: number): () => boolean {
  let last = { at: performance.now(), cpu: readCpuMs([pid]) };
  return () => {
    const now = { at: performance.now(), cpu: readCpuMs([pid]) };
    const share = (now.cpu - last.cpu) / (now.at - last.at);
    last = now;
    return share < 0.05;
  };
}

/** Resolves with how many lines each worker has printed. */
async function stopPrinters(control: string): Promise<number[]> {
  writeFileSync(join(control, 'stop'), '');
  const files = Array.from({ length: WORKERS }, (_, worker) => join(control, `count-${worker}`));
  await eventually('all have stopped', () => files.every((file) => existsSync(file)), { withinMs: 300_000 });
  return files.map((file) => Number(readFileSync(file, 'utf8')));
}
