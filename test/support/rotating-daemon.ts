/**
 * Only the logs of a daemon, in a process of its own that can be killed: rotates what grows in an app's directory.
 * Arguments: home, app, largest size in bytes, archives to keep, a step to die at (or `none`), how many of those steps
 * come before. Says `up` when it watches.
 */
import { openLogs } from '../../src/logs/index.ts';

const [home = '', app = '', maxSize, keep, fatal, before] = process.argv.slice(2);
let left = Number(before);
const logs = openLogs({
  home,
  isAlive: () => true,
  limitsOf: () => ({ maxSizeBytes: Number(maxSize), keep: Number(keep), maxAgeMs: null, rotate: 'in-place' }),
  onStep: (step) => {
    if (step !== fatal) return;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    left -= 1;
  },
  onProblem: (message) => process.stderr.write(`${message}\n`),
});
logs.watch(app);
process.stdout.write('up\n');
process.stdin.on('end', () => {
  void logs.settle().then(() => {
    logs.close();
    process.exit(0);
  });
});
process.stdin.resume();
