/** The disk of an app's logs is full: the app serves on, and what was dropped is an event, in `show` and a metric. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { ask, askSocket, openPlace, pidsOf, readApp, readEvents, readWhy, startApp } from '../support/service.ts';
import { openSmallDisk, whyNoSmallDisk } from '../support/small-disk.ts';

const SCRIPT = join(import.meta.dirname, '../support/apps/chatty.mjs');

describe('a full disk below the logs', () => {
  it(
    'ends no worker, and what it dropped is told while it lasts and afterwards',
    { skip: whyNoSmallDisk() },
    async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      using disk = openSmallDisk(512 * 1024, join(drover.home, 'logs', 'shop'));
      disk.fill(128 * 1024);
      await startApp(drover, 'shop', { script: SCRIPT, port, instances: 1 });
      const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
      const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [2, 5], seconds: 60 });
      await eventually('the event', async () => (await readEvents(drover, 'shop', 'log-dropped')).length === 1);
      await load.untilAnswered(200);
      const [drops] = (await readApp(drover, 'shop')).workers.map(({ logDropped }) => logDropped);
      assert.ok(drops !== undefined && drops !== null && drops.lines > 0 && drops.dropping);
      assert.equal(drops.code, 'ENOSPC');
      assert.match(
        (await drover.run(['show', 'shop'])).stdout,
        /output of shop\/0 +\d+ lines .* dropped, still: ENOSPC/,
      );

      const { answered, lost } = await load.stop();
      assert.ok(answered > 200);
      assert.equal(lost, 0);
      disk.free();
      const end = await eventually('the event of the end', async () =>
        (await readEvents(drover, 'shop', 'log-drop-ended')).at(0),
      );
      await ask(port);
      assert.deepEqual(pidsOf(await readApp(drover, 'shop')), [pid], 'the same worker');
      const files = ['out', 'err'].map((name) => readFileSync(join(disk.path, `0.1.${name}.log`), 'utf8'));
      const lines = files.flatMap((text) => text.split('\n'));
      const noted = lines.reduce((sum, line) => sum + Number(/^drover: (\d+) lines? /.exec(line)?.[1] ?? 0), 0);
      const numbers = lines.flatMap((line) => /^\d+ (\d+) x{150}$/.exec(line)?.[1] ?? []).map(Number);
      assert.equal(numbers.length + noted, Math.max(...numbers), 'every line is in a file or counted');
      assert.equal(end.data['lines'], noted);
      const metrics = await askSocket(join(drover.home, 'drover.sock'), '/metrics');
      assert.match(
        metrics.body,
        new RegExp(`^drover_log_dropped_lines_total\\{app="shop",worker="shop/0"\\} ${noted}$`, 'm'),
      );
      const { chain } = await readWhy(drover, 'shop');
      assert.match(chain.find(({ event }) => event.includes('log drop ended'))?.because ?? '', /log dropped/);
    },
  );
});
