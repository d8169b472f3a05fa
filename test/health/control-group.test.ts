/**
 * Workers that leak in a control group whose memory is limited, with no budget: they are recycled before the kernel ends one of
 * them. The daemon is moved into a group of the machine's own kind, as a container or a unit with `MemoryMax=` would have it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import type { DaemonDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { MemoryGroup, skipsMemoryGroup } from '../support/memory-group.ts';
import { startLoad } from '../support/load/index.ts';
import { fixture, openPlace, PATIENT, read, readEvents, startApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const MB = 1024 * 1024;

it(
  'workers under the memory limit of a control group are recycled before it is reached',
  { skip: skipsMemoryGroup, timeout: 180_000 },
  async () => {
    await using group = MemoryGroup.open(`drover-test-${process.pid}`) ?? assert.fail();
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'first', { script: fixture('hello.cjs'), port: place.port });
    const { pid } = await read<DaemonDocument>(drover, '/v1/daemon');
    assert.ok(pid !== null);
    group.limit(500 * MB);
    group.enter(pid);
    const port = await freePort();
    await startApp(drover, 'leaks', {
      script: fixture('leaks-by-request.cjs'),
      port,
      instances: 2,
      ...PATIENT,
      env: { LEAK: 'buffers', LEAK_MB_PER_MINUTE: '100', BALLAST_MB: '60', NOTES: join(drover.home, 'notes') },
    });
    const load = await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 });
    try {
      const recycled = await eventually(
        'both workers are replaced',
        async () => {
          const events = await readEvents(drover, 'leaks');
          const whose = (type: string) =>
            new Set(events.filter((one) => one.type === type).map(({ worker }) => worker));
          return (
            whose('worker-drained').size === 2 &&
            whose('worker-recycled').size === 2 &&
            events.filter(({ type }) => type === 'worker-recycled')
          );
        },
        { withinMs: 150_000, everyMs: 500 },
      );
      for (const { reason } of recycled) assert.match(reason ?? '', /memory limit of the control group/);
    } finally {
      const report = await load.stop();
      assert.equal(report.lost, 0, JSON.stringify(report.lostByReason));
      assert.equal(group.kills, 0, 'the kernel ended nobody');
    }
  },
);
