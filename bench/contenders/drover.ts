/** Drover, through its command, with a home of its own. */
import { openDrover } from '../../test/support/drover.ts';
import { type Contender, untilAnswers } from './contender.ts';

const APP = 'bench';

export const droverContender: Contender = {
  name: 'drover',
  start: async ({ script, workers, port, env = {} }) => {
    const drover = await openDrover();
    try {
      // Like the others, it is measured with its daemon running.
      await drover.run(['daemon', 'start']);
      const startedAt = performance.now();
      const starting = drover.start([script, '--name', APP, '--instances', String(workers)], {
        env: { ...env, APP_PORT: String(port) },
      });
      const [firstAnswerMs] = await Promise.all([
        untilAnswers(port).then(() => performance.now() - startedAt),
        starting,
      ]);
      await drover.untilReady(APP, workers, { withinMs: 120_000 });
      return {
        firstAnswerMs,
        listWorkers: async () => drover.pids(APP),
        listManagers: async () => {
          const { pid, guardPid } = await drover.daemon();
          return [pid, guardPid].filter((one) => one !== null);
        },
        [Symbol.asyncDispose]: async () => drover[Symbol.asyncDispose](),
      };
    } catch (error) {
      await drover[Symbol.asyncDispose]();
      throw error;
    }
  },
};
