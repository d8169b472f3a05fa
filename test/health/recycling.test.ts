/**
 * Workers that leak are replaced before they run out of memory, one at a time, under load. The fixture looks older than it is
 * (`leaks.cjs`), so that the two minutes in which nobody is recycled need not be waited for; a minute of growth has to be seen.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startLoad } from '../support/load/index.ts';
import { fixture, openPlace, readApp, readEvents, startApp, untilApp } from '../support/service.ts';

const LIMIT_MB = 96;

describe('recycling', { timeout: 240_000 }, () => {
  it(
    'replaces workers that leak before the limit of their heap, one at a time, and loses no request',
    { timeout: 240_000 },
    async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      await startApp(drover, 'leaky', {
        script: fixture('leaks.cjs'),
        port,
        instances: 2,
        nodeArgs: ['--expose-gc', `--max-old-space-size=${LIMIT_MB}`],
        drain: { timeout: '5s', idleGrace: '2s' },
        env: { LEAKS_KB: '700' },
      });
      const first = await readApp(drover, 'leaky');
      const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 230 });
      await load.untilAnswered(20);
      await untilApp(
        drover,
        'leaky',
        'has had both replaced',
        ({ status, workers }) =>
          status === 'online' &&
          workers.every(({ ready, pid }) => ready && first.workers.every((one) => one.pid !== pid)),
        { withinMs: 180_000 },
      );
      const report = await load.stop();
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
      const events = await readEvents(drover, 'leaky');
      const recycled = events.filter(({ type }) => type === 'worker-recycled');
      assert.equal(new Set(recycled.map(({ worker }) => worker)).size, 2);
      assert.match(
        recycled[0]?.reason ?? '',
        /the heap after full collections grows by .* and reaches the limit of its heap/,
      );
      const between = events.slice(events.indexOf(recycled[0]!), events.indexOf(recycled[1]!)).map(({ type }) => type);
      assert.ok(between.includes('operation-ended'), `one at a time: ${between.join(', ')}`);
      const exits = events.filter(({ type }) => type === 'worker-exited').map(({ reason }) => reason ?? '');
      assert.ok(
        exits.length >= 2 && exits.every((reason) => /drained|as asked|code 0|SIGTERM/.test(reason)),
        exits.join(),
      );
      assert.equal(events.filter(({ type }) => type === 'worker-recovering').length, 0, 'nobody was ill');
    },
  );
});
