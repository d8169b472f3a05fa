/**
 * The apps of a soak. `steady` is never reloaded or killed, so that its workers grow as old as the run; `busy` is what
 * everything is done to; a third one comes and goes within each round, each time by another name.
 */
import { join } from 'node:path';
import type { Drover } from '../support/drover.ts';
import { writeConfig, type Settings } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

export const STEADY = 'steady';
export const BUSY = 'busy';
export const WORKERS = { [STEADY]: 2, [BUSY]: 3 } as const;
const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'soaks.mjs');
/** Small, so that every flood rotates the files and, after a few, removes archives. */
const LOGS: Settings = { maxSize: '2MB', keep: 3 };

export interface Ports {
  readonly steady: number;
  readonly busy: number;
}

export async function startApps(drover: Drover): Promise<Ports> {
  const ports = { steady: await freePort(), busy: await freePort() };
  const settings = (name: keyof Ports): Settings => ({
    script: SCRIPT,
    nodeArgs: ['--expose-gc'],
    port: ports[name],
    env: { APP_PORT: String(ports[name]) },
    instances: WORKERS[name],
    drain: { timeout: '10s', idleGrace: '500ms' },
    logs: LOGS,
  });
  await drover.start([writeConfig(drover, { [STEADY]: settings('steady'), [BUSY]: settings('busy') })]);
  await drover.untilReady(STEADY, WORKERS.steady);
  await drover.untilReady(BUSY, WORKERS.busy);
  return ports;
}

/** The configuration of an app that comes and goes; returns its file. */
export async function writePassing(drover: Drover, name: string): Promise<string> {
  const port = await freePort();
  return writeConfig(drover, { [name]: { script: SCRIPT, port, env: { APP_PORT: String(port) }, logs: LOGS } }, name);
}
