/** pm2 in cluster mode, from this folder's own package, with a home of its own. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { listChildren } from '../../test/support/processes.ts';
import { type Contender, type StartRequest, untilAnswers } from './contender.ts';

const COMMAND = join(import.meta.dirname, '..', 'node_modules', 'pm2', 'bin', 'pm2');
const runFile = promisify(execFile);

export const runPm2 = async (home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runFile(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env, PM2_HOME: home }, cwd: home });

export const pm2Contender = {
  name: 'pm2',
  start: async ({ script, workers, port, env = {} }: StartRequest) => {
    const folder = await temporaryFolder('pm2');
    const home = folder.path;
    try {
      await runPm2(home, ['ping']);
      const startedAt = performance.now();
      const starting = runPm2(home, ['start', script, '-i', String(workers), '--name', 'bench'], {
        ...env,
        APP_PORT: String(port),
      });
      const [firstAnswerMs] = await Promise.all([
        untilAnswers(port).then(() => performance.now() - startedAt),
        starting,
      ]);
      const daemon = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
      return {
        home,
        firstAnswerMs,
        listWorkers: async () => listChildren(daemon),
        listManagers: async () => [daemon],
        [Symbol.asyncDispose]: async () => {
          await runPm2(home, ['kill']);
          await folder[Symbol.asyncDispose]();
        },
      };
    } catch (error) {
      await runPm2(home, ['kill']);
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  },
} satisfies Contender;
