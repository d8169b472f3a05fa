/**
 * Workers that speak for their agent: garbage, floods, and messages that are well-formed and not true. The daemon takes
 * none of it for the truth about anybody else, keeps answering, and loses no descriptor. Also what strangers say on the
 * agents' socket.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ENVELOPE_CMD } from '../../src/protocol/index.ts';
import type { DaemonDocument, EventDocument, ListenAddress } from '../../src/protocol/index.ts';
import { parseAgentMessage } from '../../src/supervisor/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, fixture, pidsOf, read, readApp, readEvents, startApp, untilApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';
import { openWitness, type Witness } from '../support/witness.ts';

type Json = Record<string, unknown>;

const WHOLE = Number.MAX_SAFE_INTEGER;
const COUNTERS = ['begun', 'served', 'failed', 'lost', 'aborted', 'refused', 'connections', 'upgrades'];
const MEASURES = [
  'uptimeMs',
  'rssBytes',
  'heapUsedBytes',
  'heapTotalBytes',
  'externalBytes',
  'cpuUserUs',
  'cpuSystemUs',
];
const fill = (keys: readonly string[], value: number): Json => Object.fromEntries(keys.map((key) => [key, value]));

const report = (seq: number, value = 0): Json => ({
  seq,
  counters: { ...fill(COUNTERS, value), byClass: [value], latency: [1, value, WHOLE, value] },
  runtime: {
    ...fill([...MEASURES, 'openConnections', 'inFlight'], value),
    eventLoopUtilization: 1,
    delayMs: { mean: value, p99: value, max: value },
    gc: { count: value, pauseMs: value },
  },
});

const listen = (id: number, request: Json): Json => ({
  type: 'listen',
  id,
  request: { host: null, port: 0, v6only: false, path: null, randomIndex: null, reservedPort: null, ...request },
  protocol: 'http',
});
const hello = (more: Json): Json => ({
  type: 'hello',
  v: 1,
  spawn: 'x',
  pid: 1,
  node: 'v24.0.0',
  phase: 'serving',
  signalledReady: false,
  servers: [],
  report: report(1),
  ...more,
});
const tcp = (port: number, host = '::'): ListenAddress => ({ kind: 'tcp', host, port, v6only: false });
const bound = (fd: number, address: ListenAddress): Json => ({ type: 'bound', id: fd, fd, inode: 1, address });
const drained = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 0 };

/** One of each kind, all right. */
const RIGHT: readonly Json[] = [
  hello({ servers: [{ id: 1, key: 'k', address: tcp(1), accepting: true, protocol: 'http' }] }),
  listen(1, {}),
  { type: 'listening', id: 1, key: null },
  bound(9, tcp(1)),
  { type: 'closed', id: 1 },
  { type: 'report', report: report(1), replyTo: null },
  { type: 'draining', report: report(1) },
  { type: 'drained', summary: drained, report: report(1) },
  { type: 'exit', code: 0, reason: null, report: report(1) },
];

/** The same with one thing gone or wrong, at each place. */
function* corrupt(value: Json): Generator<Json> {
  for (const [key, item] of Object.entries(value)) {
    const { [key]: _, ...rest } = value;
    yield rest;
    for (const wrong of [null, true, -1, 0.5, 1e308, 70_000, 'x'.repeat(5_000), [], ['x'], {}, { x: { x: 1 } }])
      yield { ...rest, [key]: wrong };
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      for (const inside of corrupt(item as Json)) yield { ...rest, [key]: inside };
  }
}

const lineOf = (message: unknown): string => `${JSON.stringify({ cmd: ENVELOPE_CMD, m: message })}\n`;
const linesOf = (messages: readonly unknown[]): string => messages.map(lineOf).join('');

describe('a worker that speaks for its agent', () => {
  let witness: Witness;
  let port = 0;
  let shopPort = 0;
  /** They are heard out for some seconds, beside everything else. */
  let silence: Promise<unknown>;

  before(async () => {
    port = await freePort();
    witness = await openWitness(async (drover) => {
      const script = fixture('speaks-for-its-agent.cjs');
      await startApp(drover, 'liar', { script, port, env: { PORT: String(port) } });
      await startApp(drover, 'idle', { command: ['sleep', '1000'] });
      await untilApp(drover, 'liar', 'is online', ({ status }) => status === 'online');
      await untilApp(drover, 'idle', 'is online', ({ status }) => status === 'online');
    });
    shopPort = (await readApp(witness.drover, 'shop')).ports[0]?.port ?? 0;
    silence = Promise.all([talk(''), talk('{"cmd"'), talk('\n\n')]);
  });
  after(async () => witness[Symbol.asyncDispose]());

  /** Resolves when the worker has written all of it: the channel takes it only as fast as the daemon reads. */
  const say = async (bytes: string | Buffer): Promise<void> => {
    const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', agent: false });
    request.end(bytes);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
  };

  const daemonPid = async (): Promise<number> => (await read<DaemonDocument>(witness.drover, '/v1/daemon')).pid ?? 0;
  const countDescriptors = async (): Promise<number> => readdirSync(`/proc/${await daemonPid()}/fd`).length;
  const defects = async (app: string): Promise<readonly EventDocument[]> => readEvents(witness.drover, app, 'defect');
  const countEvents = async (app: string): Promise<number> =>
    (await witness.cli('events', app, '--json', '--lines', '99999')).stdout.split('\n').length;
  const workerOf = async (app: string): Promise<number> => pidsOf(await readApp(witness.drover, app))[0] ?? 0;
  const spawnOf = async (app: string): Promise<string> =>
    /(?:^|\0)DROVER_SPAWN=([^\0]*)/.exec(readFileSync(`/proc/${await workerOf(app)}/environ`, 'utf8'))?.[1] ?? '';

  /** Resolves when the daemon has closed the connection. */
  const talk = async (bytes: string | Buffer): Promise<void> => {
    const socket = connect(join(witness.drover.home, 'run', 'agents.sock'));
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(bytes);
    socket.resume();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(reject, 10_000, new Error(`${bytes.toString().slice(0, 100)}: it is listened to`));
    socket.once('close', () => resolve());
    await promise.finally(() => clearTimeout(timer));
  };

  let fences = 0;
  /** Resolves when everything that was said has been read: the daemon shows what it was told last. */
  const untilHeard = async (): Promise<void> => {
    fences += 1;
    const last = report(WHOLE);
    const message = {
      type: 'report',
      report: { ...last, runtime: { ...(last['runtime'] as Json), rssBytes: fences } },
    };
    await say(lineOf({ ...message, replyTo: null }));
    const isShown = async (): Promise<boolean> =>
      (await readApp(witness.drover, 'liar')).workers[0]?.rssBytes === fences;
    await eventually('the daemon has read it', isShown, { withinMs: 30_000 });
  };

  it('is not heard when it is no message, and that is told once', async () => {
    const garbage = [
      'x',
      '{',
      'null',
      '[]',
      '1',
      '""',
      '{}',
      '{"cmd":1}',
      `{"cmd":"${ENVELOPE_CMD}"}`,
      '\0\0',
      '\u{1F4A5}',
    ];
    const envelopes = [
      null,
      1,
      'x',
      [],
      {},
      { type: 1 },
      { type: 'nothing' },
      { type: 'constructor' },
      { type: '__proto__' },
    ];
    await say(`${garbage.join('\n')}\n${linesOf(envelopes)}`);
    await say(Buffer.from([0xff, 0xfe, 0x0a, 0xc3, 0x28, 0x0a]));
    await say(`${'x'.repeat(3 * 1024 * 1024)}\n`);
    await say(lineOf({ type: 'message', payload: 'x'.repeat(900_000) }));
    await say(
      `{"cmd":"${ENVELOPE_CMD}","m":{"type":"message","payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}}\n`,
    );
    await untilHeard();
    assert.equal((await defects('liar')).length, 1);
    await witness.assertUnchanged();
  });

  it('is not heard when one field of a message is wrong', async () => {
    const wrong = RIGHT.flatMap((message) => [...corrupt(message)]).filter(
      (one) => parseAgentMessage(one).message === null,
    );
    assert.ok(wrong.length > 500, `only ${wrong.length} wrong messages`);
    await say(linesOf(wrong));
    await untilHeard();
    assert.equal((await defects('liar')).length, 1);
    await witness.assertUnchanged();
  });

  it('gets no port, socket or descriptor of anybody else', async () => {
    const { drover } = witness;
    const before = await countDescriptors();
    const daemon = await daemonPid();
    const shop = await workerOf('shop');
    const victims = [1, daemon, shop, process.pid, 2 ** 30];
    const foreign = [tcp(shopPort), tcp(22, '0.0.0.0'), tcp(7, '127.77.13.7')];
    const sockets = [
      { kind: 'unix', path: join(drover.home, 'drover.sock') },
      { kind: 'unix', path: '\0abstract' },
    ] as const;
    const descriptors = Array.from({ length: 64 }, (_, fd) => fd);
    const made = `shop [::]:${shopPort}`;
    for (const pid of victims) {
      const servers = [...foreign, ...sockets].map((address, id) => ({
        id: 500 + id,
        key: made,
        address,
        accepting: true,
        protocol: 'http',
      }));
      await say(
        linesOf([
          hello({ spawn: await spawnOf('shop'), pid, servers }),
          ...[...foreign, ...sockets].flatMap((address) => descriptors.map((fd) => bound(fd, address))),
          ...[made, `liar [::]:${port}`, 'nothing'].map((key, id) => ({ type: 'listening', id: 600 + id, key })),
          listen(700, { path: join(drover.home, 'drover.sock') }),
          listen(701, { path: join(drover.home, 'state.db') }),
          listen(702, { host: 'no address', port: 1 }),
          listen(703, { host: '203.0.113.1', port: 1 }),
          listen(704, { port: shopPort, host: '127.0.0.1' }),
        ]),
      );
    }
    // A port that it does hold is learned; whatever else is to be learned is by then.
    const own = await freePort();
    await say(linesOf([listen(800, { host: '127.77.13.7', port: own }), { type: 'listening', id: 800, key: null }]));
    const learned = await eventually('its own port is known', () => {
      const ports = witness.readPorts('liar').map((address) => (address.kind === 'tcp' ? address.port : 0));
      return ports.includes(own) && ports;
    });
    assert.deepEqual(new Set(learned), new Set([port, own]));
    assert.ok(pidsOf(await readApp(drover, 'shop')).includes(Number((await ask(shopPort)).body)));
    assert.ok((await countDescriptors()) <= before + 8, `${before} descriptors became ${await countDescriptors()}`);
    await witness.assertUnchangedBut('liar');
  });

  it('may say any number of requests and megabytes', async () => {
    await say(
      linesOf([
        { type: 'report', report: report(WHOLE - 1, WHOLE), replyTo: WHOLE },
        hello({ pid: 1, report: report(WHOLE, WHOLE) }),
      ]),
    );
    await eventually(
      'its report is taken',
      async () => (await readApp(witness.drover, 'liar')).workers[0]?.rssBytes === WHOLE,
    );
    for (const words of [['ls'], ['ls', '--json'], ['show', 'liar'], ['health'], ['why', 'liar']]) {
      const { code, stdout, stderr } = await witness.cli(...words);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout, /NaN|Infinity|undefined/);
    }
    const { status, body } = await askMetrics();
    assert.equal(status, 200);
    assert.doesNotMatch(body, /NaN|Infinity|undefined/);
    await witness.assertUnchangedBut('liar');
  });

  const askMetrics = async (): Promise<{ status: number; body: string }> => {
    const request = httpRequest({
      socketPath: join(witness.drover.home, 'drover.sock'),
      path: '/metrics',
      agent: false,
    });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  };

  it('may flood: others are answered meanwhile, and its requests for ports end somewhere', async () => {
    const { drover } = witness;
    const before = await countEvents('liar');
    const some = [
      { type: 'report', report: report(1), replyTo: null },
      { type: 'ready' },
      { type: 'closed', id: 1 },
      { type: 'message', payload: null },
      { type: 'drained', summary: drained, report: report(1) },
      hello({ pid: 1 }),
    ];
    const flood = linesOf(Array.from({ length: 1_000 }, () => some).flat()).repeat(4);
    const said = say(flood);
    // Asked one after the other: a daemon that hears the worker out first answers once or twice.
    let answers = 0;
    const done = said.then(() => 'done');
    while ((await Promise.race([done, readApp(drover, 'shop')])) !== 'done') answers += 1;
    assert.ok(answers >= 20, `${answers} answers meanwhile`);
    const descriptors = await countDescriptors();
    const base = await freePort();
    const ports = Array.from({ length: 600 }, (_, index) => ({ host: '127.77.13.8', port: base + index }));
    // As one server that moves, then as so many.
    await say(linesOf(ports.map((request) => listen(2_000, request))));
    await say(linesOf(ports.map((request, index) => listen(1_000 + index, request))));
    await untilHeard();
    const opened = (await countDescriptors()) - descriptors;
    assert.ok(opened > 100 && opened < 256 * 8, `${opened} descriptors more`);
    assert.equal((await ask(shopPort)).status, 200);
    const grown = (await countEvents('liar')) - before;
    assert.ok(grown < 100, `${grown} events`);
    await witness.assertUnchangedBut('liar');
  });

  it('leaves nothing behind when it is deleted', async () => {
    const { drover } = witness;
    await say(
      linesOf([
        { type: 'draining', report: report(WHOLE) },
        { type: 'exit', code: 1e9, reason: 'x'.repeat(4_000), report: report(WHOLE) },
      ]),
    );
    const before = await countDescriptors();
    await drover.delete('liar');
    await eventually('its descriptors are closed', async () => (await countDescriptors()) < before - 200);
    await witness.assertUnchangedBut('liar');
  });

  describe('on the agents’ socket', () => {
    it('strangers are not heard', async () => {
      for (const bytes of [
        'GET / HTTP/1.1\r\n\r\n',
        '\n\n{}\n',
        'x'.repeat(2 * 1024 * 1024),
        Buffer.from([0xff, 0x0a]),
      ])
        await talk(bytes);
      for (const message of RIGHT) await talk(lineOf(message));
      await talk(lineOf(hello({ spawn: await spawnOf('shop'), pid: await workerOf('shop') })));
      // A right word after a wrong one, in one piece.
      await talk(`x\n${lineOf(hello({ spawn: await spawnOf('idle') }))}`);
      await talk(linesOf([{ type: 'ready' }, hello({ spawn: await spawnOf('idle') })]));
      assert.deepEqual(await defects('idle'), []);
      await witness.assertUnchangedBut('liar');
    });

    it('who knows the spawn is heard, and believed no more than a worker', async () => {
      const socket = connect(join(witness.drover.home, 'run', 'agents.sock'));
      await once(socket, 'connect');
      socket.write(lineOf(hello({ spawn: await spawnOf('idle'), pid: await workerOf('shop') })));
      const told = await eventually('it is told', async () => (await defects('idle'))[0]);
      assert.match(told.reason ?? '', /is none of this worker/);
      socket.destroy();
      await witness.assertUnchangedBut('liar', 'idle');
    });

    it('silence is not listened to for ever', async () => {
      await silence;
      await witness.assertUnchangedBut('liar', 'idle');
    });
  });
});
