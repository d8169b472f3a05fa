/**
 * Preloaded into a program: profiles it from its first moment, and on SIGUSR2 writes the profile to PROFILE_FILE and ends
 * it; without PROFILE_FILE it only ends it, in order, so that V8's log is whole. The inspector within the process is used:
 * no port is opened, and the program needs no line of code.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

const { PROFILE_FILE } = process.env;

// Threads of the program have this preloaded as well, and are not what is recorded.
if (isMainThread && PROFILE_FILE === undefined) process.once('SIGUSR2', () => process.exit(0));
else if (isMainThread) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 1000 });
  session.post('Profiler.start');
  process.once('SIGUSR2', () => {
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) throw error;
      writeFileSync(PROFILE_FILE, JSON.stringify(result.profile));
      process.exit(0);
    });
  });
}
