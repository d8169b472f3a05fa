/** Which dispatch level this host allows, found by trying each on a throw-away group. */
import type { DispatchLevel } from '../protocol/index.ts';
import { closeDescriptor } from './descriptor.ts';
import { attachClassic } from './dispatch-classic.ts';
import { ExactDispatch } from './dispatch-exact.ts';
import { isLinux } from './libc.ts';
import { listenSocket } from './socket.ts';

export interface DispatchSupport {
  readonly level: DispatchLevel;
  /** Why no better level, in words; null at the best. */
  readonly reason: string | null;
}

export function probeDispatch(): DispatchSupport {
  if (!isLinux) return { level: 'shared', reason: 'only Linux spreads connections by weight' };
  const fd = listenSocket({ host: '127.0.0.1', port: 0, v6only: false, reusePort: true });
  try {
    const whyNotExact = refusal(() => tryExact(fd));
    if (whyNotExact === null) return { level: 'exact', reason: null };
    const whyNotClassic = refusal(() => attachClassic(fd, { kind: 'weights', weights: [1] }));
    if (whyNotClassic === null) {
      return { level: 'classic', reason: `eBPF needs root, or CAP_BPF and CAP_NET_ADMIN: ${whyNotExact}` };
    }
    return { level: 'shared', reason: `the system lets us attach no program to a socket: ${whyNotClassic}` };
  } finally {
    closeDescriptor(fd);
  }
}

function tryExact(fd: number): void {
  for (const mode of ['sticky', 'in-turn'] as const) {
    const dispatch = ExactDispatch.create(mode);
    dispatch.attach(fd);
    dispatch.close();
  }
}

function refusal(attempt: () => void): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
