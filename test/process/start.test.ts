/** Starting what runs already, on ports that are taken, and what cannot be started: refused clearly, with nothing changed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  refusalAt,
  service,
  startApp,
  untilAnswering,
  untilApp,
  writeConfig,
} from '../support/service.ts';

describe('start of what runs already', () => {
  it('unchanged is exit 0 and says so', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const again = await drover.run(['start', file]);
    assert.equal(again.code, 0);
    assert.match(again.stdout, /already/);
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
  });

  it('changed is exit 2, prints the plan, and changes nothing', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port));
    const before = pidsOf(await readApp(drover, 'shop'));
    const file = writeConfig(drover, { shop: service(port, { env: { COLOUR: 'secret-red' } }) }, 'shop');
    const again = await drover.run(['start', file]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /env\.COLOUR/);
    assert.doesNotMatch(again.stderr + again.stdout, /secret-red/, 'names only');
    assert.deepEqual(pidsOf(await readApp(drover, 'shop')), before);
  });

  it('under a name that another file owns is exit 2', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const owner = await startApp(drover, 'shop', service(port));
    const other = writeConfig(drover, { shop: service(await freePort()) }, 'elsewhere');
    const error = await drover.refusal(2, ['start', other]);
    assert.equal(error.code, 'DROVER_APP_EXISTS');
    assert.ok(error.message.includes(owner));
  });
});

describe('start of an app by its name', () => {
  it('brings the daemon back that has its record', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port, { instances: 1 }));
    await drover.run(['stop', 'shop']);
    await drover.run(['daemon', 'stop']);
    const { code, stderr } = await drover.run(['start', 'shop']);
    assert.equal(code, 0, stderr);
    await untilAnswering(port, 1);
  });

  it('does not start a daemon for a file that is not there', async () => {
    await using place = await openPlace();
    const { drover } = place;
    assert.equal((await drover.run(['start', 'nowhere.js'])).code, 2);
    assert.equal((await drover.run(['ls'])).code, 4);
  });
});

describe('start on a port that is taken', () => {
  it('by a program outside names its pid and command, with exit 1, and succeeds once the port is free', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const holder = createServer();
    holder.listen(port, '::');
    await once(holder, 'listening');
    try {
      const file = writeConfig(drover, { shop: service(port) });
      const { code, receipt } = await change(drover, ['start', file]);
      assert.equal(code, 1);
      assert.match(receipt.reason ?? '', new RegExp(`:${port} is taken by .*node.* \\(pid ${process.pid}\\)`));
    } finally {
      holder.close();
      holder.closeAllConnections();
    }
    await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
    await untilAnswering(port, 2);
  });

  it('by another app names that app’s worker, and the other app is not disturbed', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'one', service(port));
    const before = pidsOf(await readApp(drover, 'one'));
    const file = writeConfig(drover, { two: service(port) });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.match(receipt.reason ?? '', new RegExp(`:${port} is taken by the app one`));
    assert.deepEqual(
      [...(await untilAnswering(port, 2))].toSorted((a, b) => a - b),
      before,
    );
  });

  it('that the app did not declare: the worker gets EADDRINUSE, and the start says who holds it', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'one', service(port));
    // What did not try to listen within `stableFor` counts as what never does; on a busy machine it tries late.
    const settings = { restart: { policy: 'never' }, ready: { stableFor: '20s' } };
    const file = writeConfig(drover, {
      two: { script: fixture('service.cjs'), env: { PORT: String(port) }, ...settings },
    });
    const { code, receipt } = await change(drover, ['start', file]);
    assert.equal(code, 1);
    assert.match(receipt.reason ?? '', /EADDRINUSE|taken/);
    assert.ok(
      receipt.log?.some((line) => line.includes('EADDRINUSE')),
      String(receipt.log),
    );
    await untilAnswering(port, 2);
  });
});

describe('start of what cannot be started', () => {
  it('is refused before anything happens', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const missing = writeConfig(drover, { good: service(port), bad: { script: join(drover.home, 'nothing.js') } });
    const error = await drover.refusal(2, ['start', missing]);
    assert.equal(error.code, 'DROVER_CONFIG_INVALID');
    assert.match(error.message, /apps\.bad\.script does not exist/);
    assert.ok((await refusalAt(port)) !== null, 'the good one was not started either');
    const misspelt = writeConfig(drover, { good: service(port, { instnaces: 2 }) });
    const invalid = await drover.refusal(2, ['start', misspelt]);
    assert.equal(invalid.code, 'DROVER_CONFIG_INVALID');
    assert.match(invalid.message, /instances/);
  });
});

describe('start without waiting', () => {
  it('returns an operation that can be followed to its end', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: service(port) });
    const { operations } = await drover.json<{ operations: { id: string; status: string }[] }>([
      'start',
      file,
      '--no-wait',
    ]);
    assert.equal(operations[0]?.status, 'running');
    const { code } = await drover.run(['operation', operations[0]?.id ?? '']);
    assert.equal(code, 0);
    assert.equal((await ask(port)).status, 200);
  });
});
