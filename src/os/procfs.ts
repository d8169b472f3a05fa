/**
 * Processes as the kernel shows them under /proc. What is gone, or not ours to see, reads as null: a process may end
 * between any two lines here. macOS has no /proc; the few things needed there come from `ps`.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SPAWN_VARIABLE } from '../protocol/index.ts';
import { isLinux } from './libc.ts';

export interface ProcessStat {
  readonly pid: number;
  /** At most 15 characters. */
  readonly command: string;
  /** One letter; `Z` is dead and waits for its parent, `X` is going. */
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Since boot, in ticks: with the boot id it tells a process from a later one of the same pid. */
  readonly startTicks: number;
  readonly cpuMs: number;
  /** As `waitpid` would give it; only of the dead, and only where we may see it. */
  readonly exitStatus: number;
}

// The kernel counts in jiffies but always shows hundredths of a second.
const MS_PER_TICK = 10;

export function readStat(pid: number): ProcessStat | null {
  const line = readText(`/proc/${pid}/stat`);
  return line === null ? null : parseStat(line);
}

/** The command is in parentheses and may itself contain spaces and parentheses. */
export function parseStat(line: string): ProcessStat | null {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const [state = '?', ...words] = line.slice(close + 2).split(' ');
  const fields = words.map(Number);
  // Numbers of proc(5), less four: pid, command and state come before, and it counts from one.
  const field = (number: number): number => fields[number - 4] ?? 0;
  return {
    pid: Number.parseInt(line, 10),
    command: line.slice(open + 1, close),
    state,
    ppid: field(4),
    processGroup: field(5),
    session: field(6),
    startTicks: field(22),
    cpuMs: (field(14) + field(15)) * MS_PER_TICK,
    exitStatus: field(52),
  };
}

export interface Running {
  /** It runs, or would if a core were free; else it sleeps, waits for a disk or is stopped. */
  readonly isRunnable: boolean;
  /** What its main thread has had of the cores, up to its last scheduler tick. */
  readonly ranMs: number;
  /** What its main thread has waited for a core, without the wait that it is in. */
  readonly waitedMs: number;
  /** How many times its main thread was given one. */
  readonly turns: number;
}

/** Of sched-stats in the kernel's documentation. Null where the system does not tell. */
export function readRunning(pid: number): Running | null {
  const schedule = readText(`/proc/${pid}/schedstat`);
  const stat = readStat(pid);
  if (schedule === null || stat === null) return null;
  const [ranNs = 0, waitedNs = 0, turns = 0] = schedule.split(' ').map(Number);
  return { isRunnable: stat.state === 'R', ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6, turns };
}

/** Null where the system does not tell. */
export function startTicks(pid: number): number | null {
  return readStat(pid)?.startTicks ?? null;
}

/** Changes at each boot of the machine; empty where the system has none. */
export function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Whether this very process still runs. A zombie is dead; null ticks accept whoever has the pid. */
export function isAlive(pid: number, ticks: number | null): boolean {
  if (!isLinux) return canSignal(pid);
  const stat = readStat(pid);
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return false;
  return ticks === null || stat.startTicks === ticks;
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The value of a variable that the process was started with, or null. */
export function readVariable(pid: number, name: string): string | null {
  const start = `${name}=`;
  const entry = environmentLines(pid)?.find((line) => line.startsWith(start));
  return entry?.slice(start.length) ?? null;
}

/** What the process was started with; null when it is gone, or not ours to see. */
export function readEnvironment(pid: number): Readonly<Record<string, string>> | null {
  const entries = environmentLines(pid)?.filter((line) => line.includes('='));
  if (entries === undefined) return null;
  return Object.fromEntries(
    entries.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** `NAME=value` each, as they are. */
function environmentLines(pid: number): readonly string[] | undefined {
  return readStart(pid, 'environ')?.split('\0');
}

/** The words of a process's command line; empty when it is gone. */
export function readCommandLine(pid: number): readonly string[] {
  return (readStart(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
}

const LOOK_AGAIN_MS = 1;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** What a process was started with; null when it is gone, or not ours to see. Looked at again where it shows nothing. */
function readStart(pid: number, file: 'cmdline' | 'environ'): string | null {
  const path = `/proc/${pid}/${file}`;
  let text = readText(path);
  for (let look = 0; text === '' && look < looksAtChange(pid); look++) {
    Atomics.wait(NEVER, 0, 0, LOOK_AGAIN_MS);
    text = readText(path);
  }
  return text;
}

/**
 * How often such a process is looked at again. In `execve` it shows neither words nor environment, for a fraction of a millisecond,
 * longer where others have the processor; its words are there first, and with words it may have no environment for good. A
 * thread of the kernel, or a process that is dead, has no program.
 */
function looksAtChange(pid: number): number {
  try {
    readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return 0;
  }
  return readText(`/proc/${pid}/cmdline`) === '' ? 10 : 2;
}

export interface ProcessUsage {
  readonly rssBytes: number;
  readonly cpuMs: number;
}

export function readUsage(pid: number): ProcessUsage | null {
  const stat = readStat(pid);
  // From `status`, because `stat` counts pages, whose size differs between machines.
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '');
  return stat === null ? null : { rssBytes: Number(rss?.[1] ?? 0) * 1024, cpuMs: stat.cpuMs };
}

/** Real, effective, saved and file system user of a process; null when it is gone. The owner of its folder may be another. */
export function readUsers(pid: number): readonly number[] | null {
  const line = /^Uid:\s+(.*)$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
  return line === undefined ? null : line.split(/\s+/).map(Number);
}

/** Direct children, living or dead. */
export function children(pid: number): readonly number[] {
  return listProcesses()
    .filter(({ ppid }) => ppid === pid)
    .map((child) => child.pid);
}

/**
 * Everything alive that one spawn of a worker brought about, itself included: by parentage, by its session (where it
 * leads one), and by the mark in the environment, which also finds those whose parent has died. It alone where nothing
 * can be looked at now.
 */
export function descendants(pid: number, spawnId: string): readonly number[] {
  const processes = tryToList()?.filter(({ state }) => state !== 'Z' && state !== 'X');
  if (processes === undefined) return [pid];
  const found = new Set<number>();
  for (const each of processes) {
    const isMarked = each.pid !== process.pid && readVariable(each.pid, SPAWN_VARIABLE) === spawnId;
    if (each.pid === pid || each.session === pid || isMarked) found.add(each.pid);
  }
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const { pid: child, ppid } of processes) if (found.has(ppid)) found.add(child);
  }
  return [...found];
}

/** The process that was started with this mark: the one whose parent does not carry it. Null: there is none. */
export function findMarked(spawnId: string): { readonly pid: number; readonly startTicks: number } | null {
  const marked = listProcesses().filter(
    ({ pid, state }) =>
      state !== 'Z' && state !== 'X' && pid !== process.pid && readVariable(pid, SPAWN_VARIABLE) === spawnId,
  );
  const pids = new Set(marked.map(({ pid }) => pid));
  const root = marked.find(({ ppid }) => !pids.has(ppid));
  return root === undefined ? null : { pid: root.pid, startTicks: readStat(root.pid)?.startTicks ?? 0 };
}

type ListedProcess = Pick<ProcessStat, 'pid' | 'ppid' | 'session' | 'state'>;

function listProcesses(): readonly ListedProcess[] {
  if (!isLinux) return listByPs();
  return listPids()
    .map((pid) => readStat(pid))
    .filter((stat) => stat !== null);
}

/** Null where the process or the system is out of descriptors or memory. */
function tryToList(): readonly ListedProcess[] | null {
  try {
    return listProcesses();
  } catch {
    return null;
  }
}

/**
 * What outlived the worker of a spawn: members of its session, and whoever carries its mark. Never the worker's own
 * pid, which may belong to somebody else by now. Null where nothing can be looked at now.
 */
export function leftovers(sessionLeader: number, spawnId: string): readonly number[] | null {
  const processes = tryToList();
  if (processes === null) return null;
  return processes
    .filter(({ pid, state }) => state !== 'Z' && state !== 'X' && pid !== sessionLeader && pid !== process.pid)
    .filter(({ pid, session }) => session === sessionLeader || readVariable(pid, SPAWN_VARIABLE) === spawnId)
    .map(({ pid }) => pid);
}

export function listPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function listByPs(): readonly ListedProcess[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,sess=,state='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => {
    const [pid, ppid, session, state = '?'] = line.trim().split(/\s+/);
    return { pid: Number(pid), ppid: Number(ppid), session: Number(session), state };
  });
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
