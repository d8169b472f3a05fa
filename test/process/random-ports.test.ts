/** Ports that the system chose (`listen(0)`): kept for the next workers, but never insisted upon. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import {
  ask,
  change,
  fixture,
  openPlace,
  pidsOf,
  readApp,
  readEvents,
  type Settings,
  startApp,
  UNDECLARED,
  untilApp,
  writeConfig,
} from '../support/service.ts';

const settings = (servers: number): Settings => ({
  script: fixture('random-ports.cjs'),
  instances: 2,
  env: { SERVERS: String(servers) },
  ...UNDECLARED,
});

/** What each of the two workers says that its ports are, in the order in which it asked for them; all must say the same. */
const readPorts = async (drover: Drover, servers: number): Promise<readonly number[]> => {
  const { ports } = await untilApp(
    drover,
    'shop',
    `has ${servers} ports`,
    (app) => app.ports.length === servers && app.status === 'online',
  );
  const first = ports[0]?.port ?? 0;
  const answers = new Map<string, string>();
  await eventually('both workers answer', async () => {
    const [pid = '', ...own] = (await ask(first)).body.split(' ');
    answers.set(pid, own.join(' '));
    return answers.size === 2;
  });
  assert.equal(new Set(answers.values()).size, 1, `they agree: ${JSON.stringify([...answers])}`);
  return [...answers.values()][0]?.split(' ').map(Number) ?? [];
};

/** Somebody else who listens there. */
const holdPort = async (port: number): Promise<AsyncDisposable> => {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
};

describe('a port that the system chose', () => {
  it('and that somebody else has at the next start is another one then, the same for all workers', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', settings(2));
    const [first = 0, second = 0] = await readPorts(drover, 2);
    assert.equal((await change(drover, ['stop', 'shop'])).code, 0);
    await using _other = await holdPort(first);
    const { code, receipt } = await change(drover, ['start', 'shop']);
    assert.deepEqual([code, receipt.outcome], [0, 'completed'], receipt.reason ?? '');
    const [next, same] = await readPorts(drover, 2);
    assert.notEqual(next, first);
    assert.equal(same, second, 'only the one that is taken is another');
    const [told] = await readEvents(drover, 'shop', 'port-vanished');
    assert.match(told?.reason ?? '', new RegExp(`127\\.0\\.0\\.1:${first} is taken`));
    assert.equal((await change(drover, ['reload', 'shop'])).receipt.outcome, 'completed');
    assert.deepEqual(await readPorts(drover, 2), [next, second], 'which is kept like any other');
  });

  it('and that somebody else has when a daemon comes back to dead workers is another one then', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', settings(1));
    const [first = 0] = await readPorts(drover, 1);
    assert.equal((await drover.run(['daemon', 'stop'])).code, 0);
    await using _other = await holdPort(first);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    const [next] = await readPorts(drover, 1);
    assert.notEqual(next, first);
  });

  it('is forgotten once a program is in place that asks for fewer', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await startApp(drover, 'shop', settings(2));
    const [first = 0, second = 0] = await readPorts(drover, 2);
    const before = pidsOf(await readApp(drover, 'shop'));
    const applied = async (servers: number): Promise<string> => {
      const file = writeConfig(drover, { shop: settings(servers) }, 'shop');
      return (await change(drover, ['apply', file])).receipt.outcome;
    };
    assert.equal(await applied(1), 'completed');
    assert.deepEqual(await readPorts(drover, 1), [first]);
    await using _other = await holdPort(second);
    assert.equal(await applied(2), 'completed');
    const [same, next] = await readPorts(drover, 2);
    assert.equal(same, first);
    assert.notEqual(next, second);
    assert.equal(pidsOf(await readApp(drover, 'shop')).filter((pid) => before.includes(pid)).length, 0);
    // It was not even tried: nobody remembered it.
    const told = (await readEvents(drover, 'shop')).filter(({ reason }) => reason?.includes(`:${second} is taken`));
    assert.deepEqual(told, []);
  });
});
