/**
 * Workers whose agent is from before the daemon asked event loops: it answers no pings, and is never accused of that. Such an agent is made
 * of the present one, which says that it speaks version 1 and knows none of the messages that came later.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Illness, illService, untilHealth } from '../support/health.ts';
import { makeVersion, type NextVersion } from '../support/next-version.ts';
import { ask, openPlace, pidsOf, readApp, readEvents, writeConfig } from '../support/service.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ageAgent = ({ root }: NextVersion): void => {
  const path = join(root, 'dist/agent/agent.cjs');
  const before = readFileSync(path, 'utf8');
  const after = before
    .replace(/(type:`hello`,v:)2/, '$11')
    .replace(/(case`settings`:(?:case`[a-z-]+`:)+)return [^}]*/, '$1return');
  assert.equal(
    after.length < before.length && after.includes('type:`hello`,v:1'),
    true,
    'both are there to be replaced',
  );
  writeFileSync(path, after);
};

describe('an agent of version 1', { timeout: 120_000 }, () => {
  it('is never accused of not answering what it does not know, also where its loop is blocked', async () => {
    await using place = await openPlace();
    await using folder = await temporaryFolder('versions');
    const { drover, port } = place;
    const old = makeVersion(folder.path, '0.0.9');
    ageAgent(old);
    const illness = new Illness(drover);
    const file = writeConfig(drover, { shop: illService(port, illness) });
    const started = await old.run(drover, ['start', file]);
    assert.equal(started.code, 0, started.stderr);
    const before = pidsOf(await readApp(drover, 'shop'));
    // Many times as long as an agent that is asked may take.
    illness.tell('all', 'spins 3000');
    const beganAt = performance.now();
    await eventually('a worker answers that was busy', async () => {
      await ask(port);
      return performance.now() - beganAt > 3500;
    });
    const health = await untilHealth(drover, 'shop', 'is healthy', ({ status }) => status === 'healthy');
    assert.ok(health.workers.every(({ eventLoop, weight }) => !eventLoop.isBlocked && weight > 0));
    const accusations = (await readEvents(drover, 'shop')).filter(({ type }) =>
      ['worker-blocked', 'worker-hung', 'worker-recovering', 'health-changed', 'defect'].includes(type),
    );
    assert.deepEqual(
      accusations.map(({ type, reason }) => `${type} ${reason}`),
      [],
    );
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
  });
});
