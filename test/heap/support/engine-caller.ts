/** Starts an engine that never ends, says its pid on stdout, and waits. */
import { runEngine } from '../../../src/input/index.ts';

await runEngine({
  entry: new URL('obedient-engine.ts', import.meta.url),
  request: { wish: 'spin' },
  memoryLimitBytes: 1024 ** 3,
  onProgress: () => process.stdout.write('spinning\n'),
});
