/**
 * Apps that ask for another Node than Drover's own, with the real command: found in the app's `node_modules`, started,
 * and reloaded under load without a loss.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { startLoad } from '../support/load/index.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { change, fixture, openPlace, PATIENT, pidsOf, readApp, service, startApp } from '../support/service.ts';

/** PATH without the directories that hold a Node, so that it is really the app's that is found. */
const PATH = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/bin']
  .filter((directory, index, all) => all.indexOf(directory) === index && !existsSync(join(directory, 'node')))
  .join(delimiter);

describe('An app that asks for its own Node', () => {
  for (const node of listNodes().filter(({ path }) => path !== process.execPath)) {
    it(`runs on ${node.name}, and a reload under load loses nothing`, async () => {
      await using place = await openPlace();
      const { drover, port } = place;
      const cwd = projectWith(node, join(drover.home, 'project'));
      const settings = service(port, { script: fixture('service.cjs'), cwd, node: String(node.major), ...PATIENT });
      const options = { env: { PATH } };
      await startApp(drover, 'shop', settings, options);
      const before = pidsOf(await readApp(drover, 'shop'));
      const loads = await Promise.all([
        startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] }),
        startLoad({ mode: 'kept', port, connections: 10, pauseMs: [5, 20] }),
      ]);
      await Promise.all(loads.map(async (load) => load.untilAnswered(100)));
      const { receipt } = await change(drover, ['reload', 'shop'], options);
      await Promise.all(loads.map(async (load) => load.untilAnswered(100)));
      const reports = await Promise.all(loads.map(async (load) => load.stop()));
      const after = pidsOf(await readApp(drover, 'shop'));
      assert.equal(receipt.outcome, 'completed', receipt.reason ?? '');
      for (const { lost, lostByReason } of reports) assert.deepEqual([lost, lostByReason], [0, {}]);
      assert.equal(receipt.requests.lost, 0);
      assert.ok(receipt.requests.served > 0, 'the agent counted what was served during the reload');
      assert.equal(after.length, before.length);
      for (const pid of after) {
        assert.ok(!before.includes(pid), 'nobody is left of the old ones');
        assert.equal(readlinkSync(`/proc/${pid}/exe`), node.path);
      }
    });
  }
});

/** A folder whose `node_modules` has this Node, as `npm install node` makes it. */
function projectWith({ path }: TestNode, folder: string): string {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(dirname(dirname(path)), join(folder, 'node_modules', 'node'));
  return folder;
}
