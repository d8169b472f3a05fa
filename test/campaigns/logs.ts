/**
 * Logs under fire: four workers that print as fast as they can, while their files are rotated and the daemon is killed,
 * most often between the copy of what is rotated and its removal from the file; what rotation costs the
 * daemon; how soon an old time is found. What printing costs the worker: `log-speed.ts`.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { readCpuMs, readWaitedCpuMs } from '../../bench/processes.ts';
import { readLogs } from '../../src/logs/index.ts';
import { openTimeIndex } from '../../src/logs/time-index.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'prints.mjs');
const APP = 'printer';
const WORKERS = 4;
/** Killed at three of them in turn, then at no particular moment. */
const STEPS = ['copied', 'synced', 'recorded', null] as const;
const RATE_BYTES = 10_000_000;
const CPU_LIMIT = 0.05;
const FIRST_LINE_MS = 1_000;
const LINE_BYTES = 100;
const LINES_AT_A_TIME = 100_000;
/** The kernel stamps files with a clock that may be so much behind ours. */
const STAMP_MS = 15;

export const logs: Campaign = {
  name: 'logs',
  shows:
    'no line lost over rotations and kills; the daemon under 5 % of a core at 10 MB/s; an old time found within 1 s',
  run: async (run) => {
    const [rotations, kills] = run.isSmall ? [12, 4] : [200, 20];
    const whole = await run.row(`${rotations} rotations, ${kills} kills`, async () => measureWhole(rotations, kills));
    run.table(
      ['workers', 'lines', 'MB', 'rotations', 'kills', 'at a step', 'lost', 'doubled or out of order'],
      [
        [
          WORKERS,
          whole.lines,
          fixed(whole.bytes / 1e6, 0),
          whole.rotations,
          whole.kills,
          whole.killsAtStep,
          whole.lost,
          whole.outOfOrder,
        ],
      ],
    );
    run.check('every line is there once and in order', whole.lost === 0 && whole.outOfOrder === 0, `${whole.lines}`);
    run.check('rotations', whole.rotations >= rotations, String(whole.rotations));
    run.check('kills, half of them at steps', whole.killsAtStep * 2 >= whole.kills, `${whole.killsAtStep}`);
    run.check('no worker was restarted', whole.hasSameWorkers, String(whole.hasSameWorkers));

    const cost = await run.row('10 MB/s', async () => measureCost(run.isSmall ? 5 : 60));
    run.say(
      `10 MB/s wanted, ${fixed(cost.bytesPerSecond / 1e6)} MB/s printed, a rotation for each 10 MB: daemon ` +
        `${fixed(cost.daemonShare * 100, 2)} % of a core, compressors ${fixed(cost.compressorShare * 100, 1)} %`,
    );
    run.check('the rate was reached', cost.bytesPerSecond > 0.9 * RATE_BYTES, fixed(cost.bytesPerSecond / 1e6));
    run.bound('the daemon’s share', cost.daemonShare < CPU_LIMIT, `${fixed(cost.daemonShare * 100, 2)} %`);

    const total = run.isSmall ? 80_000_000 : 5_000_000_000;
    const found = await run.row(`since, ${total / 1e6} MB`, async () => measureSince(total));
    for (const { place, firstLineMs, isRight } of found) {
      run.check(`the first line from ${place} on is the right one`, isRight, String(isRight));
      run.bound(`it comes within ${FIRST_LINE_MS} ms`, firstLineMs < FIRST_LINE_MS, `${fixed(firstLineMs, 0)} ms`);
    }
  },
};

export interface Whole {
  readonly lines: number;
  readonly bytes: number;
  readonly rotations: number;
  readonly kills: number;
  readonly killsAtStep: number;
  readonly lost: number;
  readonly outOfOrder: number;
  readonly hasSameWorkers: boolean;
}

/** `rateBytes`: of each worker in a second; 0: as fast as it can. */
export async function measureWhole(rotations: number, kills: number, rateBytes = 0): Promise<Whole> {
  await using drover = await openDrover();
  const control = controlFolder(drover);
  const dieAt = join(drover.home, 'die-at');
  // The daemon is told where to die by a file; it passes the name of that file on to those that follow it.
  await drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: dieAt } });
  await startPrinters(drover, control, { maxSize: '1MB', keep: 1_000 }, { RATE: String(rateBytes) });
  const pids = await drover.pids(APP);
  let killsAtStep = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const done = Math.floor((rotations * kill) / kills);
    await eventually(`${done} rotations`, () => countArchives(drover) >= done, { withinMs: 600_000, everyMs: 200 });
    const step = STEPS[kill % STEPS.length] ?? null;
    if (step === null) await drover.killDaemon({ withinMs: 60_000 });
    else {
      const { pid } = await drover.daemon();
      writeFileSync(dieAt, step);
      await eventually('the step', () => !existsSync(dieAt), { withinMs: 120_000 });
      killsAtStep += 1;
      await eventually(
        'another daemon',
        async () => {
          const status = await drover.daemon();
          return status.running && status.pid !== pid;
        },
        { withinMs: 60_000, everyMs: 100 },
      );
    }
  }
  await eventually(`${rotations} rotations`, () => countArchives(drover) >= rotations, {
    withinMs: 600_000,
    everyMs: 200,
  });
  const hasSameWorkers = (await drover.pids(APP)).join() === pids.join();
  const counts = await stopPrinters(control);
  const { lost, outOfOrder, bytes } = await checkLines(drover.home, counts);
  return {
    lines: counts.reduce((sum, count) => sum + count, 0),
    bytes,
    rotations: countArchives(drover),
    kills,
    killsAtStep,
    lost,
    outOfOrder,
    hasSameWorkers,
  };
}

interface Cost {
  readonly bytesPerSecond: number;
  /** Of a core. */
  readonly daemonShare: number;
  readonly compressorShare: number;
}

async function measureCost(seconds: number): Promise<Cost> {
  await using drover = await openDrover();
  const control = controlFolder(drover);
  await startPrinters(drover, control, { maxSize: '10MB', keep: 10 }, { RATE: String(RATE_BYTES / WORKERS) });
  const { pid } = await drover.daemon();
  if (pid === null) throw new Error('no daemon is running');
  await eventually('a rotation', () => countArchives(drover) > 0, { withinMs: 60_000 });
  const sizeOf = (): number => listSizes(join(drover.home, 'logs', APP)).reduce((sum, [, size]) => sum + size, 0);
  const before = { at: performance.now(), cpu: readCpuMs([pid]), children: readWaitedCpuMs(pid), size: sizeOf() };
  // Measured over a time, which is what this campaign is about.
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const elapsedMs = performance.now() - before.at;
  const cost = {
    bytesPerSecond: ((sizeOf() - before.size) / elapsedMs) * 1_000,
    daemonShare: (readCpuMs([pid]) - before.cpu) / elapsedMs,
    compressorShare: (readWaitedCpuMs(pid) - before.children) / elapsedMs,
  };
  await stopPrinters(control);
  return cost;
}

interface FoundLine {
  readonly place: string;
  /** From the start of `drover logs --since` to its first line, the start of the command included. */
  readonly firstLineMs: number;
  readonly isRight: boolean;
}

async function measureSince(total: number): Promise<FoundLine[]> {
  await using drover = await openDrover();
  const control = controlFolder(drover);
  // It prints nothing unless it is asked to: what is in its file is from here.
  await startPrinters(drover, control, { maxSize: '8MB', keep: 1_000 }, { ROUND_LINES: '1' }, 1);
  const log = join(drover.home, 'logs', APP, '0.1.out.log');
  const portions = 40;
  const lines = Math.floor(total / portions / LINE_BYTES);
  const times: number[] = [];
  for (let portion = 0; portion < portions; portion += 1) {
    await eventually('time moves on', () => Date.now() > (times.at(-1) ?? 0) + 200);
    times.push(Date.now());
    for (let at = 0; at < lines; at += LINES_AT_A_TIME) {
      const count = Math.min(LINES_AT_A_TIME, lines - at);
      appendFileSync(log, Array.from({ length: count }, (_, i) => sample(portion * lines + at + i)).join(''));
    }
    // To its very end: what the next entry tells of is as young as the next portion.
    await eventually('it is indexed', () => indexedEnd(log) === statSync(log).size, { withinMs: 60_000 });
  }
  const left = (): number => statSync(log).blocks * 512;
  await eventually('all is rotated', () => left() < 9_000_000, { withinMs: 600_000, everyMs: 200 });
  const found: FoundLine[] = [];
  for (const [place, portion] of [
    ['the beginning', 1],
    ['the middle', portions / 2],
    ['the end', portions - 1],
  ] as const) {
    const since = new Date((times[portion] ?? 0) - STAMP_MS).toISOString();
    const startedAt = performance.now();
    const child = drover.spawn(['logs', APP, '--since', since, '--json']);
    const [first] = (await once(createInterface({ input: child.stdout as Readable }), 'line')) as [string];
    const firstLineMs = performance.now() - startedAt;
    child.kill('SIGKILL');
    const { line } = JSON.parse(first) as { line: string };
    found.push({ place, firstLineMs, isRight: `${line}\n` === sample(portion * lines) });
  }
  return found;
}

const sample = (number: number): string =>
  `${String(number).padStart(12, '0')} GET /items/${Math.imul(number, 2_654_435_761) >>> 0} 200 ${number % 97} ms\n`.padStart(
    LINE_BYTES,
    '-',
  );

function indexedEnd(log: string): number {
  const index = openTimeIndex(`${log}.idx`);
  try {
    return index.last()?.offset ?? 0;
  } finally {
    index.close();
  }
}

function controlFolder({ home }: Drover): string {
  const control = join(home, 'control');
  mkdirSync(control, { recursive: true });
  return control;
}

async function startPrinters(
  drover: Drover,
  control: string,
  logSettings: { readonly maxSize: string; readonly keep: number },
  env: Readonly<Record<string, string>> = {},
  instances = WORKERS,
): Promise<void> {
  const config = join(drover.home, 'drover.config.json');
  const app = { script: SCRIPT, instances, env: { ...env, CONTROL: control }, logs: logSettings };
  writeFileSync(config, JSON.stringify({ apps: { [APP]: app }, daemon: { logs: { quota: '1TB', minFree: '1GB' } } }));
  await drover.start([config]);
  await drover.untilReady(APP, instances, { withinMs: 120_000 });
}

/** Resolves with how many lines each worker has printed. */
async function stopPrinters(control: string): Promise<number[]> {
  writeFileSync(join(control, 'stop'), '');
  const files = Array.from({ length: WORKERS }, (_, slot) => join(control, `count-${slot}`));
  await eventually('all have stopped', () => files.every((file) => existsSync(file)), { withinMs: 60_000 });
  const counts = files.map((file) => Number(readFileSync(file, 'utf8')));
  rmSync(join(control, 'stop'));
  return counts;
}

async function checkLines(home: string, counts: readonly number[]) {
  const next = counts.map(() => 0);
  let outOfOrder = 0;
  let bytes = 0;
  const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
  for await (const { line, stream } of readLogs({ home, apps: [APP], clock })) {
    if (stream === 'stderr') continue;
    bytes += line.length + 1;
    const [name = '', number = ''] = line.split(' ', 2);
    const slot = Number(name);
    if (Number(number) !== next[slot]) outOfOrder += 1;
    next[slot] = Number(number) + 1;
  }
  const lost = counts.reduce((sum, count, slot) => sum + Math.abs(count - (next[slot] ?? 0)), 0);
  return { lost, outOfOrder, bytes };
}

const countArchives = ({ home }: Drover): number => {
  const directory = join(home, 'logs', APP, 'archive');
  return existsSync(directory) ? readdirSync(directory).filter((name) => /\.(zst|gz)$/.test(name)).length : 0;
};

const listSizes = (directory: string): [string, number][] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.out.log'))
    .map((name) => [name, statSync(join(directory, name)).size]);
