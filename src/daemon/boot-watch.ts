/** Starts what ends the next program of this process if that does not come up in time (`boot-watch.sh`). */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { duplicate } from '../os/index.ts';
import { descriptorOf } from './guard.ts';

const SCRIPT = fileURLToPath(new URL('boot-watch.sh', import.meta.url));
/** Far longer than a start takes on a machine that does nothing but swap. */
const PATIENCE_S = 30;

/**
 * Returns the descriptor by which it is told that the program serves; null where no process can be started: a program that
 * hangs is then ended by the service manager, or by hand.
 */
export const startBootWatch = (): number | null => {
  // Tests do not wait as long.
  const seconds = Number(process.env['DROVER_BOOT_SECONDS']) || PATIENCE_S;
  try {
    const child = spawn('/bin/sh', [SCRIPT, String(process.pid), String(seconds)], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', () => {});
    child.unref();
    const pipe = child.stdio[3] as Writable;
    pipe.on('error', () => {});
    return duplicate(descriptorOf(pipe));
  } catch {
    return null;
  }
};
