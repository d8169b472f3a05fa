/** How many replacements start at a time when the operator does not say: all, where memory and cores allow it. */
export interface SurgeQuestion {
  readonly slots: number;
  /** The largest worker now; 0 when unknown. */
  readonly workerBytes: number;
  readonly freeBytes: number;
  readonly cpus: number;
}

/** What a worker is taken to need when none is there to measure. */
const TYPICAL_WORKER_BYTES = 100 * 1024 * 1024;
/** Booting costs CPU that the old workers are still serving with. */
const BOOTS_PER_CPU = 4;

export const chooseSurge = ({ slots, workerBytes, freeBytes, cpus }: SurgeQuestion): number => {
  const each = workerBytes > 0 ? workerBytes : TYPICAL_WORKER_BYTES;
  // Half of what is free: both generations live side by side, and the new one may grow.
  const byMemory = Math.floor(freeBytes / 2 / each);
  return Math.max(1, Math.min(slots, byMemory, cpus * BOOTS_PER_CPU));
};
