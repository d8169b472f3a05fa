/** Ports that only one worker of an app has (its metrics, by its number): that worker answers there, and nobody waits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readyWorkers,
  startApp,
  untilAnswering,
  untilApp,
} from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const INSTANCES = 3;
/** Enough to be spread over all workers, if they were spread. */
const QUESTIONS = 12;

const whoAnswers = async (port: number): Promise<readonly number[]> => {
  const answers = await Promise.all(Array.from({ length: QUESTIONS }, async () => ask(port)));
  return [...new Set(answers.map(({ body }) => Number(body)))];
};

describe('a port that each worker has for itself', () => {
  it('is answered by that worker, from the start and after a reload, a crash and a stop', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const ports = [await freePort(), await freePort(), await freePort()];
    const check = async (): Promise<void> => {
      for (const { slot, pid } of (await readApp(drover, 'shop')).workers) {
        assert.deepEqual(await whoAnswers(ports[slot] ?? 0), [pid]);
      }
      assert.equal((await untilAnswering(port, INSTANCES)).size, INSTANCES);
    };
    await startApp(drover, 'shop', {
      script: fixture('listens-by-slot.cjs'),
      port,
      instances: INSTANCES,
      env: { METRICS_PORTS: ports.join() },
      // Waiting for a port that never comes would fail, and soon.
      ready: { timeout: '10s' },
    });
    await check();
    const { receipt } = await change(drover, ['reload', 'shop']);
    assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
    await check();
    const [victim = 0] = pidsOf(await readApp(drover, 'shop'));
    process.kill(victim, 'SIGKILL');
    await untilApp(
      drover,
      'shop',
      'is whole again',
      (app) => readyWorkers(app).length === INSTANCES && !pidsOf(app).includes(victim),
    );
    await check();
    await drover.run(['stop', 'shop']);
    await drover.start(['shop']);
    await drover.untilReady('shop', INSTANCES);
    await check();
  });
});
