/**
 * How long a shard is kept after it lost its weight: until every handshake that had begun by then has ended (the kernel
 * repeats a lost answer for about a minute) and a sibling has emptied its queue.
 */
import type { NetKernel } from './kernel.ts';

export interface QuietQuestions {
  readonly kernel: Pick<NetKernel, 'after'>;
  readonly signal: AbortSignal;
  readonly isQuiet: () => boolean;
  /** The shard is wanted again. */
  readonly isWanted: () => boolean;
  /** Clients with an unfinished handshake on the port; the kernel does not tell on which of its sockets. */
  readonly handshakes: () => ReadonlySet<string>;
}

/** The last weights are in force for every connection that begins after this. */
const IN_FORCE_AFTER_MS = 20;
const LOOK_EVERY_MS = 25;
/** Answers repeated after 1, 3, 7, 15 and 31 s, given up after 63 s: Linux's defaults. */
const GIVE_UP_AFTER_MS = 64_000;

export async function waitForQuiet(questions: QuietQuestions): Promise<void> {
  const { kernel, signal, isQuiet, isWanted, handshakes } = questions;
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const callOff = kernel.after(ms, () => {
        signal.removeEventListener('abort', end);
        resolve();
      });
      const end = (): void => {
        callOff();
        resolve();
      };
      signal.addEventListener('abort', end, { once: true });
    });
  await sleep(IN_FORCE_AFTER_MS);
  if (signal.aborted) return;
  const begun = handshakes();
  for (let waitedMs = 0; waitedMs < GIVE_UP_AFTER_MS && !isWanted(); waitedMs += LOOK_EVERY_MS) {
    if (isQuiet() && !haveCommon(begun, handshakes)) return;
    await sleep(LOOK_EVERY_MS);
    if (signal.aborted) return;
  }
}

function haveCommon(begun: ReadonlySet<string>, read: () => ReadonlySet<string>): boolean {
  if (begun.size === 0) return false;
  const current = read();
  return [...begun].some((client) => current.has(client));
}
