/** Drover with its usual settings, but for when a file is rotated, and nothing of it thrown away. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readLogs } from '../../src/logs/index.ts';
import { openDrover } from '../../test/support/drover.ts';
import { writeConfig } from '../../test/support/service.ts';
import { readWaitedCpuMs } from '../processes.ts';
import { readDiskBytes, type LogContender } from './log-contender.ts';

const APP = 'printer';

export const droverLogs: LogContender = {
  name: 'drover',
  start: async ({ script, workers, env, maxMegabytes }) => {
    const drover = await openDrover();
    try {
      const logs = { maxSize: `${maxMegabytes}MB`, keep: 1_000 };
      await drover.start([writeConfig(drover, { [APP]: { script, instances: workers, env, logs } })]);
      await drover.untilReady(APP, workers);
      const { pid } = await drover.daemon();
      if (pid === null) throw new Error('no daemon is running');
      const folder = join(drover.home, 'logs', APP);
      const archives = join(folder, 'archive');
      return {
        manager: pid,
        // A compressor is a process for each rotation, that the daemon has waited for.
        readRotatorCpuMs: () => readWaitedCpuMs(pid),
        countRotations: () =>
          existsSync(archives) ? readdirSync(archives).filter((name) => /\.(zst|gz)$/.test(name)).length : 0,
        readLargestBytes: () =>
          Math.max(
            ...readdirSync(folder).map((name) => (name.endsWith('.log') ? readDiskBytes(join(folder, name)) : 0)),
          ),
        // What a worker has printed is in its file.
        untilWritten: async () => {},
        async *readLines() {
          const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
          for await (const { line, stream } of readLogs({ home: drover.home, apps: [APP], clock })) {
            if (stream === 'stdout') yield line;
          }
        },
        [Symbol.asyncDispose]: async () => drover[Symbol.asyncDispose](),
      };
    } catch (error) {
      await drover[Symbol.asyncDispose]();
      throw error;
    }
  },
};
