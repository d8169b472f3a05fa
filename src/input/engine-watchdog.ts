/**
 * A thread beside the engine's: ends the process, at once and whatever it is doing, when it has more memory than it may,
 * or when whoever asked is gone. It says why on descriptor 4 first.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const REASON_FD = 4;
const EVERY_MS = 50;
const MIB = 1024 * 1024;

const { memoryLimitBytes, parentPid } = workerData as { readonly memoryLimitBytes: number; readonly parentPid: number };

const look = (): void => {
  const rssBytes = process.memoryUsage.rss();
  if (rssBytes > memoryLimitBytes) {
    writeSync(REASON_FD, `it had taken ${Math.round(rssBytes / MIB)} MB and was not done`);
    process.kill(process.pid, 'SIGKILL');
  }
  // A process whose parent has died is given another one.
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
};

look();
setInterval(look, EVERY_MS);
