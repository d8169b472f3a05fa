/** Ports that an app closes: because it leaves, because it does not want them any more, or because it only tried them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load/index.ts';
import { openPlace, pidsOf, readApp, readEvents, refusalAt, startApp, untilApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const CLOSES_ON_SIGTERM = join(import.meta.dirname, '../support/apps/closes-on-sigterm.mjs');

describe('a worker that closes its server and leaves by itself', () => {
  it('leaves the port to the next one, with all who wait there', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const env = { APP_PORT: String(port) };
    // Not declared: it is known from the first worker only.
    await startApp(drover, 'shop', { script: CLOSES_ON_SIGTERM, env, instances: 1, ready: { stableFor: '1s' } });
    const load = await startLoad({ mode: 'new', port, connections: 5, pauseMs: [5, 20] });
    await load.untilAnswered(30);
    const [before = 0] = pidsOf(await readApp(drover, 'shop'));
    process.kill(before, 'SIGTERM');
    await untilApp(drover, 'shop', 'has another worker', (app) => pidsOf(app).some((pid) => pid !== before));
    await load.untilAnswered(30);
    assert.deepEqual((await load.stop()).lostByReason, {});
    assert.deepEqual(await readEvents(drover, 'shop', 'port-vanished'), []);
  });
});

describe('a port that an app closes while it goes on', () => {
  it('is refused again', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const second = await freePort();
    const script = join(drover.home, 'two-ports.mjs');
    writeFileSync(
      script,
      `import { createServer } from 'node:http';
      const other = createServer((_, response) => response.end('other')).listen(${second});
      createServer((_, response) => { other.close(); response.end('closed'); }).listen(${port});`,
    );
    await startApp(drover, 'shop', { script, instances: 1, ready: { stableFor: '300ms' } });
    assert.equal(await refusalAt(second), null);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    await eventually('it is refused', async () => (await refusalAt(second)) === 'ECONNREFUSED');
    assert.equal(await refusalAt(port), null);
    const [event] = await readEvents(drover, 'shop', 'port-vanished');
    assert.match(event?.reason ?? '', new RegExp(String(second)));
  });
});

describe('a port that an app only tries while it boots', () => {
  it('is free for whoever it starts there', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const tried = await freePort();
    const script = join(drover.home, 'tries.mjs');
    // As those do who look for a free port for a program of theirs; a child has no agent.
    writeFileSync(
      script,
      `import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      import { createServer } from 'node:http';
      const probe = createServer().listen(${tried});
      await once(probe, 'listening');
      probe.close();
      await once(probe, 'close');
      const server = "require('node:http').createServer((_, r) => r.end('child')).listen(${tried}, () => console.log('up'))";
      let isUp = false;
      while (!isUp) {
        const child = spawn(process.execPath, ['-e', server], { env: {}, stdio: ['ignore', 'pipe', 'ignore'] });
        isUp = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])).length === 1;
      }
      createServer((_, response) => response.end('app')).listen(${port});`,
    );
    await startApp(drover, 'shop', { script, instances: 1, ready: { stableFor: '2s' } });
    assert.equal(await (await fetch(`http://127.0.0.1:${tried}/`)).text(), 'child');
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'app');
  });
});
