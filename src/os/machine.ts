/** What the machine, or the part of it that we were given, has to offer. */
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { cpuQuota, memoryLeft } from './cgroup.ts';

/** CPUs by affinity and quota, at least one. A quota of 1.5 counts as 2: rounded down, a third of it would lie idle. */
export function usableCpus(): number {
  const quota = cpuQuota();
  const cpus = availableParallelism();
  return Math.max(1, quota === null ? cpus : Math.min(cpus, Math.ceil(quota)));
}

/** Memory that can be taken before something has to go: of the machine, or under our limits. */
export function freeMemoryBytes(): number {
  const left = memoryLeft();
  return left === null ? machineFreeBytes() : Math.min(left, machineFreeBytes());
}

function machineFreeBytes(): number {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return freemem();
}
