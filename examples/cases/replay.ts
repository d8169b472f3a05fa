/**
 * Replays the cases with nothing but Node's own switches: heap snapshots by signal, CPU profiles at the end of a process.
 * `node examples/cases/replay.ts <folder>` leaves the files of both services, before and after, in the folder;
 * docs/cases.md says what to ask of them, and how to do the same by hand.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, watch } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

export const VERSIONS = ['before', 'after'] as const;
export type Version = (typeof VERSIONS)[number];

const CASES = import.meta.dirname;

/** Three heap snapshots of the cart service: after a warm-up, and after twice the same load. Their paths, in order. */
export async function replayShoppingCart(version: Version, folder: string, requests = 300): Promise<string[]> {
  const into = join(folder, 'shopping-cart', version);
  mkdirSync(into, { recursive: true });
  const flags = ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${into}`];
  await withService(flags, join(CASES, 'shopping-cart', `${version}.mjs`), async ({ load, signal }) => {
    for (const count of [requests / 2, requests, requests]) {
      await load('carts', count);
      await takeSnapshot(into, signal);
    }
  });
  return readdirSync(into)
    .filter((name) => name.endsWith('.heapsnapshot'))
    .toSorted()
    .map((name) => join(into, name));
}

/**
 * Resolves once the snapshot's file is there. Signals that follow each other are not handled in their order: a SIGTERM
 * right behind would end the service without its snapshot. Node writes the file before it turns to anything else.
 */
async function takeSnapshot(into: string, signal: Service['signal']): Promise<void> {
  const watcher = watch(into);
  try {
    const appeared = once(watcher, 'change');
    signal('SIGUSR2');
    await appeared;
  } finally {
    watcher.close();
  }
}

/** CPU profiles of the price calculator, a run of it each. Their folder. */
export async function replayPriceCalculator(
  version: Version,
  folder: string,
  windows = 3,
  requests = 300,
): Promise<string> {
  const into = join(folder, 'price-calculator', version);
  mkdirSync(into, { recursive: true });
  for (let window = 1; window <= windows; window += 1) {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${into}`, `--cpu-prof-name=${window}.cpuprofile`];
    await withService(flags, join(CASES, 'price-calculator', `${version}.mjs`), async ({ load }) =>
      load('quotes', requests),
    );
  }
  return into;
}

interface Service {
  readonly load: (kind: string, requests: number) => Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Runs a service while `use` runs, and ends it as a process manager does: SIGTERM, and wait. */
async function withService(
  flags: readonly string[],
  program: string,
  use: (service: Service) => Promise<void>,
): Promise<void> {
  const env = { ...process.env, PORT: String(await findPort()), NODE_ENV: 'production' };
  const service = spawn(process.execPath, [...flags, program], { stdio: 'inherit', env });
  const ended = once(service, 'exit');
  try {
    await use({
      load: async (kind, requests) => {
        const loader = spawn(process.execPath, [join(CASES, 'load.mjs'), kind, String(requests)], {
          env,
          stdio: 'ignore',
        });
        const [code] = await once(loader, 'exit');
        if (code !== 0) throw new Error(`the load of ${program} ended with ${code}`);
      },
      signal: (name) => service.kill(name),
    });
    service.kill('SIGTERM');
    const [code, by] = await ended;
    if (code !== 0) throw new Error(`${program} ended with ${by ?? code}`);
  } finally {
    service.kill('SIGKILL');
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

if (import.meta.main) {
  const folder = resolve(process.argv[2] ?? 'cases');
  for (const version of VERSIONS) {
    console.log((await replayShoppingCart(version, folder)).join('\n'));
    console.log(await replayPriceCalculator(version, folder));
  }
}
