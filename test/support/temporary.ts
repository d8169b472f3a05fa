/** Folders and ports that a test may use and that nobody else does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder with a short path (a Unix socket must fit in it) that is removed when disposed of. */
export async function temporaryFolder(name = 'drover'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  return {
    path,
    [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}

/** Below the range from which the kernel takes ports by itself. */
const FIRST_PORT = 12_000;
const PORTS_OF_A_PROCESS = 300;
const PROCESSES = 60;
const given = new Set<number>();

/**
 * A TCP port that was free a moment ago, and that nobody else is given meanwhile: processes that run beside each other
 * choose from different ones.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const first = FIRST_PORT + (process.pid % PROCESSES) * PORTS_OF_A_PROCESS;
  if (given.size > PORTS_OF_A_PROCESS / 2) given.clear();
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = first + Math.floor(Math.random() * PORTS_OF_A_PROCESS);
    if (given.has(port)) continue;
    // Taken before it is looked at: tests of one process that ask at the same time are not given the same one.
    given.add(port);
    if (await isFree(port, host)) return port;
  }
  throw new Error('no free port found in 1000 attempts');
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
