/**
 * Preloaded into a program: profiles it from its first moment, and on SIGUSR2 writes the profile to PROFILE_FILE and ends
 * it. The inspector within the process is used: no port is opened, and the program needs no line of code.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

// Threads of the program have this preloaded as well, and are not what is recorded.
if (isMainThread) {
  const { PROFILE_FILE } = process.env;
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
