/** What the edge knows about the end of a worker, gathered for `core/exit.ts` to classify. */
import { classifyExit, type Exit } from '../core/index.ts';
import type { Processes } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Kernel's count of out-of-memory kills when last looked at; null until the first look, or where it does not tell. */
let lastOomKills: number | null = null;

/** Call once before the first worker starts: only a rise counts. */
export const watchOomKills = (processes: Processes): void => {
  lastOomKills = processes.oomKills();
};

export const accountForExit = (
  processes: Processes,
  handle: WorkerHandle,
  code: number | null,
  signal: string | null,
): Exit => {
  const kills = signal === 'SIGKILL' || (code === null && signal === null) ? processes.oomKills() : lastOomKills;
  const wasOomKilled = kills !== null && lastOomKills !== null && kills > lastOomKills;
  lastOomKills = kills;
  const { exitWord } = handle;
  return classifyExit({
    // Nobody but its parent learns the code of a process; the agent's last word serves for an adopted one.
    code: code ?? (signal === null ? (exitWord?.code ?? null) : null),
    signal,
    wasOomKilled,
    // The stack is in the log; one line says what it was.
    detail: (handle.portTaken ?? exitWord?.reason ?? null)?.split('\n', 1)[0] ?? null,
  });
};
