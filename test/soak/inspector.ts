/**
 * The inspector that every Node process opens on SIGUSR1, to have a long-lived process collect its garbage and say what
 * is left: resident memory moves by megabytes with each collection, what is alive after one moves by kilobytes. Nothing
 * has to be built into the process for it. It must have been started with `--inspect-port=0` (in `NODE_OPTIONS`), or
 * two of them would want the same port, and with its standard error in a file.
 */
import { readFileSync } from 'node:fs';
import { eventually } from '../support/eventually.ts';

/** What is left once all garbage is collected, in bytes. */
export interface Alive {
  /** Objects, and the array buffers, which lie outside the heap; compiled code apart. */
  readonly aliveBytes: number;
  /** Bytecode and machine code. V8 compiles what was used a few times, some of it only after hundreds of rounds. */
  readonly codeBytes: number;
}

export interface Inspector extends Disposable {
  readonly measureAlive: () => Promise<Alive>;
}

/** In the process: what its code takes. */
const CODE_SIZE = `(({ code_and_metadata_size: code, bytecode_and_metadata_size: bytecode }) => code + bytecode)(
  process.getBuiltinModule('node:v8').getHeapCodeStatistics())`;

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
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener('message', ({ data }: MessageEvent) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return;
    if (result === undefined) waiting.get(id)?.reject(new Error(String(data)));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process has ended'));
  });
  const call = async (method: string, params = {}): Promise<unknown> => {
    calls += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(calls, answer);
    socket.send(JSON.stringify({ id: calls, method, params }));
    return answer.promise;
  };
  return {
    async measureAlive() {
      await call('HeapProfiler.collectGarbage');
      const heap = (await call('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
      const code = (await call('Runtime.evaluate', { expression: CODE_SIZE })) as { result: { value: number } };
      const codeBytes = code.result.value;
      return { aliveBytes: heap.usedSize + (heap.backingStorageSize ?? 0) - codeBytes, codeBytes };
    },
    [Symbol.dispose]: () => socket.close(),
  };
}
