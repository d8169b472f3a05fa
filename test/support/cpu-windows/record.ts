/**
 * Records windows of CPU profiles of the shop for the comparison of profiles: two launches beside each other a round, the
 * baseline `a` and the one with more work in `priceOf`, `b`. Every launch has its own load and its own seeds. A window is
 * a `.cpuprofile.gz` in the folder of its launch, with a line in `windows.jsonl`; a launch that is not whole is redone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { startTraffic } from './traffic.ts';

const SERVICES = join(import.meta.dirname, '..', '..', 'fixtures', 'services');

export type Side = 'a' | 'b';

export interface Plan {
  readonly folder: string;
  readonly windowMs: number;
  readonly windowsPerLaunch: number;
  readonly warmUpMs: number;
  /** Asked of V8, which delivers fewer samples: about every 340 µs when asked for 250. */
  readonly intervalUs: number;
  /** Requests a second, about which the rate wanders. */
  readonly perSecond: number;
  /** How much longer the loop of `priceOf` runs in `b`. */
  readonly morePercent: number;
}

/** What the campaign is judged by. */
export const FULL_PLAN: Omit<Plan, 'folder'> = {
  windowMs: 30_000,
  windowsPerLaunch: 2,
  warmUpMs: 15_000,
  intervalUs: 250,
  perSecond: 450,
  morePercent: 10,
};

/** To see that it works: a minute, and a function that takes twice as long. */
export const SHORT_PLAN: Omit<Plan, 'folder'> = {
  ...FULL_PLAN,
  windowMs: 3000,
  warmUpMs: 3000,
  morePercent: 100,
};

/** A window as `windows.jsonl` lists it. */
export interface WindowRecord {
  /** Relative to the folder of the recording. */
  readonly file: string;
  readonly side: Side;
  readonly launch: number;
  readonly window: number;
  readonly seed: number;
  readonly at: string;
  readonly cpuMs: number;
  /** The machine's load average of the last minute, before and after. */
  readonly load: readonly [number, number];
  readonly answered: Readonly<Record<string, number>>;
}

/** Two launches a round: over three rounds each side is first and second, beside its own kind and the other. */
const ROUNDS: readonly (readonly [Side, Side])[] = [
  ['a', 'b'],
  ['a', 'a'],
  ['b', 'a'],
];

const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** All windows of a recording whose launches are whole. */
export function listWindows(folder: string): WindowRecord[] {
  const file = join(folder, 'windows.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as WindowRecord);
}

/** Records rounds until there are `wanted` windows of each side, or `signal` says that it is enough. */
export async function recordWindows(
  plan: Plan,
  wanted: Readonly<Record<Side, number>>,
  { signal, say }: { readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<void> {
  const { folder, ...rest } = plan;
  mkdirSync(folder, { recursive: true });
  // Kept beside the windows: those of two plans must never be compared.
  const planFile = join(folder, 'plan.json');
  if (!existsSync(planFile)) writeFileSync(planFile, `${JSON.stringify(rest)}\n`);
  else if (!sameJson(JSON.parse(readFileSync(planFile, 'utf8')), rest))
    throw new Error(`${folder} was recorded by another plan: ${readFileSync(planFile, 'utf8').trim()}`);
  for (;;) {
    const known = listWindows(folder);
    const count = (side: Side): number => known.filter((window) => window.side === side).length;
    if (signal.aborted || (count('a') >= wanted.a && count('b') >= wanted.b)) return;
    const launch = Math.max(-1, ...known.map((window) => window.launch)) + 1;
    const sides = ROUNDS[Math.floor(launch / 2) % ROUNDS.length] ?? ['a', 'b'];
    const found = await Promise.all(sides.map(async (side, place) => recordLaunch(plan, side, launch + place, signal)));
    if (signal.aborted) return;
    for (const window of found.flat()) appendFileSync(join(folder, 'windows.jsonl'), `${JSON.stringify(window)}\n`);
    const rows = found.flat().map(({ side, cpuMs }) => `${side} ${((100 * cpuMs) / plan.windowMs).toFixed(0)} %`);
    say(`launches ${launch} and ${launch + 1}: ${rows.join(', ')} of a core; load ${loadavg()[0]?.toFixed(1)}`);
  }
}

async function recordLaunch(plan: Plan, side: Side, launch: number, signal: AbortSignal): Promise<WindowRecord[]> {
  const { folder, windowMs, windowsPerLaunch, warmUpMs, intervalUs, perSecond, morePercent } = plan;
  const own = `${side}-${String(launch).padStart(4, '0')}`;
  rmSync(join(folder, own), { recursive: true, force: true });
  mkdirSync(join(folder, own));
  const seed = 1000 + launch;
  const service = spawn(
    process.execPath,
    ['--import', join(SERVICES, 'profile-windows.mjs'), join(SERVICES, 'shop', 'server.mjs')],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: {
        ...process.env,
        SEED: String(seed),
        PROFILE_INTERVAL_US: String(intervalUs),
        MORE_WORK_PERCENT: String(side === 'b' ? morePercent : 0),
      },
    },
  );
  try {
    const { port } = await heard<{ port: number }>(service, 'listening', signal);
    const traffic = startTraffic(port, perSecond, seed);
    try {
      await new Promise((resolve) => setTimeout(resolve, warmUpMs));
      const windows: WindowRecord[] = [];
      for (let window = 0; window < windowsPerLaunch && !signal.aborted; window++) {
        const before = { ...traffic.counts };
        const at = new Date().toISOString();
        const loadBefore = loadavg()[0] ?? 0;
        service.send({ type: 'profile', windowMs });
        const { profile, cpuMs } = await heard<{ profile: unknown; cpuMs: number }>(service, 'profiled', signal);
        const answered = Object.fromEntries(
          Object.entries(traffic.counts).map(([name, count]) => [name, count - (before[name] ?? 0)]),
        );
        const file = join(own, `window-${window}.cpuprofile.gz`);
        writeFileSync(join(folder, file), await promisify(gzip)(JSON.stringify(profile)));
        windows.push({ file, side, launch, window, seed, at, cpuMs, load: [loadBefore, loadavg()[0] ?? 0], answered });
      }
      return windows;
    } finally {
      traffic.stop();
    }
  } finally {
    if (service.exitCode === null) {
      service.kill('SIGKILL');
      await once(service, 'exit');
    }
  }
}

/** The next message of that type; an error when the service is gone before. */
async function heard<Message>(service: ChildProcess, type: string, signal: AbortSignal): Promise<Message> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      service.off('message', onMessage).off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
    };
    const onMessage = (message: { type?: string }): void => {
      if (message.type !== type) return;
      end();
      resolve(message as Message);
    };
    const onExit = (code: number | null): void => {
      end();
      reject(new Error(`the service ended with ${code} before it was ${type}`));
    };
    const onAbort = (): void => {
      end();
      reject(signal.reason as Error);
    };
    service.on('message', onMessage).on('exit', onExit);
    signal.addEventListener('abort', onAbort);
  });
}
