/** `apply` makes what runs equal to the file: the plan first, each kind of change, whose apps go, and in which order they start. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PlanDocument } from '../../src/protocol/index.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  readyWorkers,
  refusalAt,
  service,
  startApp,
  writeConfig,
} from '../support/service.ts';

const one = (port: number, more = {}) => service(port, { instances: 1, ...more });

describe('apply', () => {
  it('plans without doing, then does what it planned', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const [kept, changed, gone, fresh] = [port, await freePort(), await freePort(), await freePort()];
    const file = writeConfig(drover, { kept: one(kept), changed: one(changed), gone: one(gone) });
    await drover.start([file]);
    const keptBefore = pidsOf(await readApp(drover, 'kept'));
    writeConfig(drover, { kept: one(kept), changed: one(changed, { env: { COLOUR: 'blue' } }), fresh: one(fresh) });
    const { changes } = await drover.json<PlanDocument>(['apply', file, '--dry-run']);
    assert.deepEqual(
      changes.map(({ app, action, keys }) => ({ app, action, keys })),
      [
        { app: 'kept', action: 'none', keys: [] },
        { app: 'changed', action: 'reload', keys: ['env.COLOUR'] },
        { app: 'fresh', action: 'start', keys: [] },
        { app: 'gone', action: 'stop', keys: [] },
      ],
    );
    assert.deepEqual(
      (await drover.list()).map(({ name }) => name),
      ['changed', 'gone', 'kept'],
      'nothing was done',
    );
    const applied = await drover.run(['apply', file]);
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /env\.COLOUR/, 'the plan is printed');
    assert.deepEqual(
      (await drover.list()).map(({ name, status }) => `${name} ${status}`),
      ['changed online', 'fresh online', 'kept online'],
    );
    assert.deepEqual(pidsOf(await readApp(drover, 'kept')), keptBefore);
    assert.equal((await ask(changed, '/env/COLOUR')).body, 'blue');
    assert.equal(await refusalAt(gone), 'ECONNREFUSED');
  });

  it('of more instances starts the missing ones and leaves the others', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: one(port) });
    await drover.start([file]);
    const [pid = 0] = pidsOf(await readApp(drover, 'shop'));
    writeConfig(drover, { shop: one(port, { instances: 3 }) });
    assert.equal((await drover.run(['apply', file])).code, 0);
    const app = await readApp(drover, 'shop');
    assert.equal(readyWorkers(app).length, 3);
    assert.ok(pidsOf(app).includes(pid), 'the first worker is still there');
  });

  it('takes back what `scale` has made of the number in the file, and says so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: one(port) });
    await drover.start([file]);
    const before = pidsOf(await readApp(drover, 'shop'));
    assert.equal((await drover.run(['scale', 'shop', '3'])).code, 0);
    writeConfig(drover, { shop: one(port, { logs: { keep: 3 } }) });
    const { changes } = await drover.json<PlanDocument>(['apply', file, '--dry-run']);
    assert.deepEqual(
      changes.map(({ action, replaces, keys }) => ({ action, replaces, keys })),
      [{ action: 'reload', replaces: false, keys: ['instances', 'logs.keep'] }],
    );
    writeConfig(drover, { shop: one(port) });
    const applied = await drover.run(['apply', file]);
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /instances/);
    const app = await readApp(drover, 'shop');
    assert.equal(app.instances, 1);
    assert.deepEqual(pidsOf(app), before, 'the worker that stays is the one that was there');
    assert.match((await drover.run(['apply', file])).stdout, /Nothing to change/);
  });

  it('changes nothing while one of the apps that it would change is busy', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const gate = join(drover.home, 'boot.gate');
    const [busy, fresh] = [await freePort(), await freePort()];
    const apps = (colour: string) => ({
      idle: one(port, { env: { COLOUR: colour } }),
      busy: one(busy, { env: { COLOUR: colour, BOOT_GATE: gate } }),
    });
    writeFileSync(gate, '');
    const file = writeConfig(drover, apps('red'));
    await drover.start([file]);
    rmSync(gate);
    const { operations } = await drover.json<{ operations: { id: string }[] }>(['reload', 'busy', '--no-wait']);
    writeConfig(drover, { ...apps('blue'), fresh: one(fresh) });
    assert.equal((await drover.refusal(1, ['apply', file])).code, 'DROVER_BUSY');
    assert.deepEqual(
      (await drover.list()).map(({ name }) => name),
      ['busy', 'idle'],
    );
    for (const app of ['idle', 'busy']) assert.deepEqual(await readEvents(drover, app, 'app-changed'), []);
    assert.equal((await readEvents(drover, 'idle', 'operation-started')).length, 1);
    writeFileSync(gate, '');
    assert.equal((await drover.run(['operation', operations[0]?.id ?? ''])).code, 0);
    const applied = await drover.run(['apply', file]);
    assert.equal(applied.code, 0, applied.stderr);
    for (const app of ['idle', 'busy']) {
      assert.equal((await readApp(drover, app)).release, 2, 'what was refused has taken no number');
      assert.equal((await readEvents(drover, app, 'app-changed')).length, 1);
    }
  });

  it('refuses an empty list without --prune', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: one(port) });
    await drover.start([file]);
    writeConfig(drover, {});
    assert.equal((await drover.refusal(2, ['apply', file])).code, 'DROVER_PRUNE_REFUSED');
    assert.equal(readyWorkers(await readApp(drover, 'shop')).length, 1);
    assert.equal((await drover.run(['apply', file, '--prune'])).code, 0);
    assert.deepEqual(await drover.list(), []);
  });

  it('leaves apps of other files alone, and refuses their names', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'theirs', one(port));
    const before = pidsOf(await readApp(drover, 'theirs'));
    const mine = writeConfig(drover, { mine: one(await freePort()) }, 'mine');
    assert.equal((await drover.run(['apply', mine])).code, 0);
    writeConfig(drover, { mine: one(await freePort()), theirs: one(await freePort()) }, 'mine');
    assert.equal((await drover.refusal(2, ['apply', mine])).code, 'DROVER_APP_EXISTS');
    writeConfig(drover, {}, 'mine');
    assert.equal((await drover.run(['apply', mine, '--prune'])).code, 0);
    assert.deepEqual(
      (await drover.list()).map(({ name }) => name),
      ['theirs'],
    );
    assert.deepEqual(pidsOf(await readApp(drover, 'theirs')), before);
  });

  it('of a change that fails is exit 1, and what ran before still runs', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: one(port) });
    await drover.start([file]);
    const before = pidsOf(await readApp(drover, 'shop'));
    writeConfig(drover, { shop: { ...one(port), script: fixture('throws-at-start.cjs') } });
    assert.equal((await drover.run(['apply', file])).code, 1);
    const app = await readApp(drover, 'shop');
    assert.deepEqual(pidsOf(app), before);
    assert.equal(app.status, 'online');
  });
});

describe('dependsOn', () => {
  it('starts an app when what it depends on is ready', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, {
      web: one(port, { dependsOn: ['cache', 'db'] }),
      cache: one(await freePort(), { dependsOn: ['db'] }),
      db: one(await freePort()),
    });
    await drover.start([file]);
    const seqOf = async (app: string, type: 'worker-ready' | 'worker-spawned'): Promise<number> =>
      (await readEvents(drover, app, type))[0]?.seq ?? Number.NaN;
    assert.ok((await seqOf('db', 'worker-ready')) < (await seqOf('cache', 'worker-spawned')));
    assert.ok((await seqOf('cache', 'worker-ready')) < (await seqOf('web', 'worker-spawned')));
  });
});
