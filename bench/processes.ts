/** What processes cost, from /proc: CPU time and memory. Processes that are gone cost nothing any more. */
import { readFileSync } from 'node:fs';

/** Linux reports CPU time in hundredths of a second on every platform that Node runs on. */
const MS_PER_TICK = 10;

export interface Memory {
  readonly rssBytes: number;
  /** Shared pages divided among those who share them. */
  readonly pssBytes: number;
  /** Written to by the process and by nobody else: heaps, stacks, what the kernel could not just read again from a file. */
  readonly privateDirtyBytes: number;
}

/** User and system time of all threads of these processes. */
export function readCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readProc(pid, 'stat');
    // The command, in parentheses, may contain anything; fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * MS_PER_TICK;
  }, 0);
}

/** CPU time of the children that a process has waited for. */
export function readWaitedCpuMs(pid: number): number {
  const text = readProc(pid, 'stat');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * MS_PER_TICK;
}

/** The most that a process ever had in memory. */
export const readPeakBytes = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024;

export function readMemory(pids: readonly number[]): Memory {
  const texts = pids.map((pid) => readProc(pid, 'smaps_rollup'));
  const total = (name: string): number =>
    texts.reduce((sum, text) => sum + Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024, 0);
  return { rssBytes: total('Rss'), pssBytes: total('Pss'), privateDirtyBytes: total('Private_Dirty') };
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}
