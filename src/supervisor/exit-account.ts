/** What the edge knows about the end of a worker, gathered for `core/exit.ts` to classify. */
import { classifyExit, type Exit } from '../core/index.ts';
import type { OomKills } from './oom-kills.ts';
import type { WorkerHandle } from './worker-handle.ts';

export const accountForExit = (
  oomKills: Pick<OomKills, 'explainEnd'>,
  handle: Pick<WorkerHandle, 'exitWord' | 'portTaken'>,
  toldCode: number | null,
  signal: string | null,
): Exit => {
  const { exitWord } = handle;
  // Nobody but its parent learns the code of a process; the agent's last word serves for an adopted one.
  const code = toldCode ?? (signal === null ? (exitWord?.code ?? null) : null);
  const mayBeOom = signal === 'SIGKILL' || (code === null && signal === null);
  return classifyExit({
    code,
    signal,
    wasOomKilled: mayBeOom && oomKills.explainEnd(),
    // The stack is in the log; one line says what it was.
    detail: (handle.portTaken ?? exitWord?.reason ?? null)?.split('\n', 1)[0] ?? null,
  });
};
