/** A daemon that dies with what would bring it back, and what it left behind as a test wants the next one to find it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { readCommandLine } from '../../src/os/index.ts';
import type { Drover } from './drover.ts';
import { eventually } from './eventually.ts';
import { isAlive, listChildren } from './processes.ts';

/** Kills the daemon, its guard and whoever else is named, as if in one moment; resolves when they are gone. */
export async function endTogether(drover: Drover, others: readonly number[] = []): Promise<void> {
  const { pid } = await drover.daemon();
  if (pid === null) throw new Error('no daemon is running');
  // Stopped first, and only then looked at: it starts another guard whenever something changed.
  process.kill(pid, 'SIGSTOP');
  const own = readCommandLine(pid).join(' ');
  // Between fork and exec a guard still looks like its daemon.
  await eventually('no child is about to become a guard', () =>
    listChildren(pid).every((child) => readCommandLine(child).join(' ') !== own),
  );
  const all = [...listChildren(pid).filter(isGuard), ...others, pid];
  for (const each of all) process.kill(each, 'SIGKILL');
  await eventually('they are gone', () => all.every(hasEnded));
}

/** With all its threads: the last one of them closes what they have open. */
const hasEnded = (pid: number): boolean => !isAlive(pid) && countThreads(pid) <= 1;

const countThreads = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
};

const isGuard = (pid: number): boolean => readCommandLine(pid).some((word) => word.endsWith('/guard.sh'));

/** Changes the state while no daemon has it; returns how many rows it changed. */
export function editState(drover: Drover, sql: string, parameters: Readonly<Record<string, SQLInputValue>>): number {
  const state = new DatabaseSync(join(drover.home, 'state.db'));
  try {
    return Number(state.prepare(sql).run(parameters).changes);
  } finally {
    state.close();
  }
}

/** One value of a row. */
export function readState(drover: Drover, sql: string): unknown {
  const state = new DatabaseSync(join(drover.home, 'state.db'));
  try {
    return Object.values(state.prepare(sql).get() ?? {})[0];
  } finally {
    state.close();
  }
}

export interface Bystander extends AsyncDisposable {
  readonly pid: number;
  /** Signals that it has got. */
  readonly signals: readonly string[];
}

const BYSTANDER = `
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => console.log(signal));
  setInterval(() => {}, 1000);
  console.log('up');`;

/** A process of somebody else, in a session of its own, that no daemon has to do anything with. */
export async function startBystander(env: Readonly<Record<string, string>> = {}, uid?: number): Promise<Bystander> {
  const child: ChildProcess = spawn(process.execPath, ['-e', BYSTANDER], {
    detached: true,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, cwd: '/' }),
  });
  const signals: string[] = [];
  await new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (text.startsWith('up')) resolve();
      else signals.push(...text.trim().split('\n'));
    });
  });
  return {
    pid: child.pid ?? 0,
    signals,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
