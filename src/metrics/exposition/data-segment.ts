/** Size of a process's data segment, which prom-client calls its heap: `VmData` of proc(5). */
import { readFileSync } from 'node:fs';

/** Bytes; null where the process is gone, is not ours to see, or the system has no /proc. */
export function readDataBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmData:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
