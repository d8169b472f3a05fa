/** What workers print is complete, in order, and readable whatever becomes of workers and daemon. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogLineDocument } from '../../src/protocol/index.ts';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { ask, change, fixture, openPlace, pidsOf, readApp, service, startApp } from '../support/service.ts';

const LINES = 3000;

const readLines = async (drover: Drover, words: readonly string[] = []): Promise<LogLineDocument[]> => {
  const { stdout } = await drover.run(['logs', 'shop', '--lines', '100000', '--json', ...words]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLineDocument);
};

describe('the output of an app', () => {
  it('of several workers and generations is complete, each stream in its order, all in time order', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const env = { LINES: String(LINES) };
    await startApp(drover, 'shop', { script: fixture('writes-lines.cjs'), port, instances: 2, env });
    const first = pidsOf(await readApp(drover, 'shop'));
    await drover.killDaemon();
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    const pids = [...first, ...pidsOf(await readApp(drover, 'shop'))];
    const lines = await readLines(drover);
    assert.deepEqual(
      lines.map(({ at }) => at).toSorted(),
      lines.map(({ at }) => at),
      'in time order',
    );
    for (const pid of pids)
      for (const stream of ['stdout', 'stderr'] as const) {
        const numbers = lines
          .filter((each) => each.stream === stream && each.line.startsWith(`${pid} line `))
          .map(({ line }) => Number(line.split(' ')[2]));
        const expected = Array.from({ length: LINES / 2 }, (_, index) => index * 2 + (stream === 'stdout' ? 0 : 1));
        assert.deepEqual(numbers, expected, `${stream} of ${pid}`);
      }
    assert.deepEqual([...new Set(lines.map(({ worker }) => worker))].toSorted(), ['shop/0', 'shop/1']);
  });

  it('can be read and emptied after its app was deleted', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', { script: fixture('writes-lines.cjs'), port, env: { LINES: '2' } });
    const linesOf = async (): Promise<string> => {
      const { code, stdout, stderr } = await drover.run(['logs', 'shop', '--lines', '50']);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const before = await linesOf();
    assert.ok(before.length > 0);
    await drover.delete('shop');
    assert.ok((await linesOf()).startsWith(before));
    assert.equal((await drover.run(['logs', 'flush', 'shop'])).code, 0);
    assert.equal(await linesOf(), '');
    assert.equal((await drover.refusal(3, ['logs', 'shpo'])).code, 'DROVER_APP_UNKNOWN');
  });

  it('is followed over a reload', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const env = { LINES: '2' };
    await startApp(drover, 'shop', { script: fixture('writes-lines.cjs'), port, env });
    const follower = drover.spawn(['logs', 'shop', '-f', '--json']);
    let seen = '';
    follower.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    try {
      const [old = 0] = pidsOf(await readApp(drover, 'shop'));
      await eventually('the old worker’s lines are there', () => seen.includes(`${old} line 1`));
      await change(drover, ['reload', 'shop']);
      const [fresh = 0] = pidsOf(await readApp(drover, 'shop'));
      await eventually('the new worker’s lines come', () => seen.includes(`${fresh} line 1`));
    } finally {
      follower.kill();
    }
  });
});

describe('the environment of a worker', () => {
  it('has its names, and nothing of the daemon’s or of the caller’s that was not asked for', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1, inheritEnv: ['WANTED'] }), {
      env: { WANTED: 'yes', UNWANTED: 'no' },
    });
    const values: Record<string, string> = {};
    for (const name of [
      'DROVER_APP',
      'DROVER_WORKER',
      'DROVER_SLOT',
      'DROVER_RELEASE',
      'NODE_APP_INSTANCE',
      'pm_id',
      'PORT',
      'WANTED',
      'UNWANTED',
      'DROVER_HOME',
      'DROVER_INHERITANCE',
    ])
      values[name] = (await ask(port, `/env/${name}`)).body;
    assert.deepEqual(values, {
      DROVER_APP: 'shop',
      DROVER_WORKER: 'shop/0',
      DROVER_SLOT: '0',
      DROVER_RELEASE: '1',
      NODE_APP_INSTANCE: '0',
      pm_id: '0',
      PORT: String(port),
      WANTED: 'yes',
      UNWANTED: '(none)',
      DROVER_HOME: '(none)',
      DROVER_INHERITANCE: '(none)',
    });
  });
});
