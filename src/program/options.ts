/**
 * The daemon waits far more than it computes: without V8's optimizing compilers and with a small young generation it
 * takes a quarter less memory (docs/decisions/find-my-way.md has the figures). V8's memory reducer saves nothing then
 * (0.3 MB of 67), and its collections were a fifth of the daemon's CPU time in the first seconds of traffic. Its guards
 * pass the same options on.
 */
export const DAEMON_OPTIONS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--no-memory-reducer',
];
