/**
 * The inspector that every Node process opens on SIGUSR1, to have a long-lived process collect its garbage and say what
 * is left: resident memory moves by megabytes with each collection, what is alive after one moves by kilobytes. Nothing
 * has to be built into the process for it. It must have been started with `--inspect-port=0` (in `NODE_OPTIONS`), or
 * two of them would want the same port, and with its standard error in a file.
 */
import { readFileSync } from 'node:fs';
import { eventually } from '../support/eventually.ts';

export interface Inspector extends Disposable {
  /** Collects all garbage; bytes of the objects that are left, and of the array buffers, which lie outside the heap. */
  readonly measureAlive: () => Promise<number>;
}

/** `errorFile`: where the process writes its standard error, on which Node says where it listens. */
export async function openInspector(pid: number, errorFile: string): Promise<Inspector> {
  const listAddresses = (): string[] =>
    [...readFileSync(errorFile, 'utf8').matchAll(/Debugger listening on (ws:\S+)/g)].map(([, address = '']) => address);
  const known = listAddresses().length;
  process.kill(pid, 'SIGUSR1');
  const address = await eventually('the inspector listens', () => listAddresses()[known]);
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true });
  });
  let calls = 0;
  const waiting = new Map<number, PromiseWithResolvers<Record<string, number>>>();
  socket.addEventListener('message', ({ data }: MessageEvent) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: Record<string, number> };
    if (id === undefined) return;
    if (result === undefined) waiting.get(id)?.reject(new Error(String(data)));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process has ended'));
  });
  const call = async (method: string): Promise<Record<string, number>> => {
    calls += 1;
    const answer = Promise.withResolvers<Record<string, number>>();
    waiting.set(calls, answer);
    socket.send(JSON.stringify({ id: calls, method }));
    return answer.promise;
  };
  return {
    async measureAlive() {
      await call('HeapProfiler.collectGarbage');
      const { usedSize = Number.NaN, backingStorageSize = 0 } = await call('Runtime.getHeapUsage');
      return usedSize + backingStorageSize;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
