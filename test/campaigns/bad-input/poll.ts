/**
 * A process of its own that asks the daemon and a bystander (a server that does nothing) in turn, and tells how long each answer
 * took: what the machine costs both is no fault of the daemon's. Ends, with its answers as one JSON document, when its standard
 * input does.
 */
import { spawn } from 'node:child_process';
import { createServer, request, type RequestOptions } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';

export interface Answered {
  /** Wall clock, of the question. */
  readonly at: number;
  readonly daemonMs: number | null;
  readonly bystanderMs: number | null;
}

export interface Poll {
  /** Ends it. */
  stop(): Promise<readonly Answered[]>;
}

const EVERY_MS = 50;
const PATIENCE_MS = 20_000;
const BYSTANDER = 'bystander';

/** Begins to ask the API of a daemon by the path of its socket. */
export const startPoll = (socketPath: string): Poll => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename, socketPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const closed = once(child, 'close');
  return {
    async stop() {
      child.stdin.end();
      await closed;
      return JSON.parse(text) as readonly Answered[];
    },
  };
};

const timeOf = async (options: RequestOptions): Promise<number | null> => {
  const began = performance.now();
  return new Promise((resolve) => {
    const sent = request({ agent: false, timeout: PATIENCE_MS, ...options }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.complete ? performance.now() - began : null));
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(null));
    sent.end();
  });
};

const pollUntilEnd = async (socketPath: string): Promise<void> => {
  const bystander = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', import.meta.filename, BYSTANDER],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const [port] = (await once(bystander.stdout, 'data')) as [Buffer];
  const answered: Answered[] = [];
  const over = new AbortController();
  process.stdin.resume().on('end', () => over.abort());
  while (!over.signal.aborted) {
    const at = Date.now();
    const daemonMs = await timeOf({ socketPath, path: '/v1/daemon' });
    const bystanderMs = await timeOf({ host: '127.0.0.1', port: Number(port.toString()), path: '/' });
    answered.push({ at, daemonMs, bystanderMs });
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  bystander.stdin.end();
  process.stdout.write(JSON.stringify(answered));
};

const stand = (): void => {
  const server = createServer((_request, response) => void response.end('here'));
  server.listen(0, '127.0.0.1', () => process.stdout.write(String((server.address() as AddressInfo).port)));
  process.stdin.resume().on('end', () => process.exit());
};

if (process.argv[1] === join(import.meta.dirname, 'poll.ts')) {
  const [, , what = ''] = process.argv;
  if (what === BYSTANDER) stand();
  else await pollUntilEnd(what);
}
