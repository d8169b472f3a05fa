import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { serveApi } from '../../src/api/index.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { createClient } from '../../src/client/index.ts';
import { ERRORS, type ErrorDocument } from '../../src/protocol/index.ts';
import { FakeService } from '../cli/fake-service.ts';
import { appConfig } from '../support/app-config.ts';
import { openHarness } from '../cli/harness.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
}

const ask = async (
  socketPath: string,
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest({ socketPath, method, path, agent: false, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
};

const failOnDefect = (error: unknown): void => {
  assert.fail(String(error));
};

const isErrorDocument = (text: string): boolean => {
  const { error } = JSON.parse(text) as ErrorDocument;
  return Object.hasOwn(ERRORS, error.code) && error.message !== '' && error.docs.startsWith('docs/errors.md#');
};

describe('the API', () => {
  it('answers an unknown path with an error document', async () => {
    await using harness = await openHarness();
    const answer = await ask(harness.socketPath, 'GET', '/v2/apps');
    assert.equal(answer.status, 404);
    assert.equal((JSON.parse(answer.text) as ErrorDocument).error.code, 'DROVER_ROUTE_UNKNOWN');
  });

  it('takes a client that goes away in the middle of its body for no defect of its own', async () => {
    await using harness = await openHarness();
    const socket = connect(harness.socketPath);
    socket.on('error', () => {});
    socket.write('POST /v1/start HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"fi');
    await once(socket, 'connect');
    // Answered after the half request: the server has read it.
    assert.equal((await ask(harness.socketPath, 'GET', '/v1/apps')).status, 200);
    socket.destroy();
    await once(socket, 'close');
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(harness.socketPath, 'GET', '/v1/apps')).status, 200);
    assert.deepEqual(harness.defects, []);
  });

  it('names the nearest app where one is unknown', async () => {
    await using harness = await openHarness();
    harness.service.apps.set('shop', { config: appConfig('shop'), file: null, isStopped: false });
    const { status, text } = await ask(harness.socketPath, 'GET', '/v1/apps/shp');
    assert.equal(status, 404);
    assert.match((JSON.parse(text) as ErrorDocument).error.hint ?? '', /Did you mean `shop`/);
  });

  it('refuses bodies that are not JSON, too long, or do not fit, and stays up', async () => {
    await using harness = await openHarness();
    const long = JSON.stringify({ callerEnv: { A: 'x'.repeat(9 * 1024 ** 2) } });
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '{"file":1}',
      '{"__proto__":{}}',
      '{"a":[{"_\\u005Fproto__":1}]}',
      '\u0000',
      long,
      Buffer.from([0xff]),
    ]) {
      const answer = await ask(harness.socketPath, 'POST', '/v1/start', body);
      assert.equal(answer.status, 400, body.toString().slice(0, 20));
      assert.equal((JSON.parse(answer.text) as ErrorDocument).error.code, 'DROVER_REQUEST_INVALID');
    }
    assert.deepEqual(harness.service.calls, []);
    assert.equal((await ask(harness.socketPath, 'GET', '/v1/apps')).status, 200);
  });

  it('takes as many apps with the whole environment of their caller as a file may have', async () => {
    await using harness = await openHarness();
    const callerEnv = { PATH: 'x'.repeat(20_000) };
    const apps = Array.from({ length: 250 }, (_, index) => appConfig(`app-${index}`, { ports: [], callerEnv }));
    const answer = await ask(harness.socketPath, 'POST', '/v1/start', JSON.stringify({ file: null, apps }));
    assert.equal(answer.status, 200, answer.text.slice(0, 200));
    assert.equal(harness.service.apps.size, apps.length);
  });

  it('refuses a configuration with a relative path, a bad name or a key too many', async () => {
    await using harness = await openHarness();
    const good = appConfig('shop');
    const bad = [
      { ...good, cwd: 'srv' },
      { ...good, name: '../x' },
      { ...good, name: 'all' },
      { ...good, extra: 1 },
      { ...good, instances: 0 },
      { ...good, ports: [70_000] },
    ];
    for (const app of bad) {
      const answer = await ask(harness.socketPath, 'POST', '/v1/start', JSON.stringify({ file: null, apps: [app] }));
      assert.equal(answer.status, 400, JSON.stringify(app));
    }
    const answer = await ask(harness.socketPath, 'POST', '/v1/start', JSON.stringify({ file: null, apps: [good] }));
    assert.equal(answer.status, 200, answer.text);
  });

  it('answers what is no HTTP, and goes on', async () => {
    await using harness = await openHarness();
    const socket = connect(harness.socketPath);
    socket.end('\u0016\u0003\u0001 hello\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 400 [^]*DROVER_REQUEST_INVALID/);
    assert.equal((await ask(harness.socketPath, 'GET', '/v1/apps')).status, 200);
  });

  it('survives any request, and answers each error from the catalogue', async () => {
    await using harness = await openHarness();
    const paths = fc.oneof(
      fc.constantFrom(...ROUTES.map(({ path }) => path)),
      fc.webPath(),
      fc
        .tuple(fc.constantFrom(...ROUTES.map(({ path }) => path)), fc.webQueryParameters())
        .map(([path, query]) => `${path}?${query}`),
      fc
        .tuple(fc.constantFrom(...ROUTES.map(({ path }) => path)), fc.string({ unit: 'binary' }))
        .map(([path, word]) => path.replaceAll(/:\w+/g, encodeURIComponent(word.toWellFormed()) || '%E0%A4%A')),
    );
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((value) => JSON.stringify(value)),
    );
    const methods = fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(methods, paths, bodies, async (method, path, body) => {
        const answer = await ask(harness.socketPath, method, path.startsWith('/') ? path : `/${path}`, body);
        assert.ok(answer.status < 400 || isErrorDocument(answer.text), `${method} ${path}: ${answer.text}`);
        assert.notEqual(answer.status, 500, answer.text);
      }),
      { numRuns: 400 },
    );
    assert.deepEqual(harness.defects, []);
    assert.deepEqual(harness.service.apps.size, 0);
  });

  it('turns a failing service into DROVER_INTERNAL and tells of the defect', async () => {
    await using harness = await openHarness();
    harness.service.list = async () => {
      throw new TypeError('boom');
    };
    const { status, text } = await ask(harness.socketPath, 'GET', '/v1/apps');
    assert.equal(status, 500);
    assert.equal((JSON.parse(text) as ErrorDocument).error.code, 'DROVER_INTERNAL');
    assert.equal((harness.defects[0] as Error).message, 'boom');
  });

  it('masks what looks secret', async () => {
    await using harness = await openHarness();
    harness.service.apps.set('shop', { config: appConfig('shop'), file: null, isStopped: false });
    harness.service.environment = { DB_PASSWORD: 'hunter2', DATABASE_URL: 'postgres://me:hunter2@db/x', PORT: '1' };
    const { text } = await ask(harness.socketPath, 'GET', '/v1/apps/shop/env');
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /postgres:\/\/me:/);
  });

  it('does not read ahead of a client that does not read', async () => {
    await using harness = await openHarness();
    const line = { at: '', app: 'shop', worker: 'shop/0', stream: 'stdout' as const, line: 'x'.repeat(1000) };
    harness.service.logLines = Array.from({ length: 100_000 }, () => line);
    const socket = connect(harness.socketPath);
    socket.write('GET /v1/logs HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'readable');
    // Wait until the pipe between the two is full: then nothing is pulled from one look to the next.
    let before = -1;
    await eventually(
      'the stream stands still',
      () => {
        const isStill = harness.service.pulled === before;
        before = harness.service.pulled;
        return isStill;
      },
      { everyMs: 50 },
    );
    assert.ok(harness.service.pulled < 5_000, `${harness.service.pulled} lines were read for nobody`);
    socket.destroy();
  });

  it('ends the source of a stream when the client goes away', async () => {
    await using harness = await openHarness();
    let isEnded = false;
    harness.service.events = async function* (_query: unknown, signal?: AbortSignal) {
      yield { seq: 1, at: '', app: null, type: 'defect', reason: null, data: {} };
      await once(signal as AbortSignal, 'abort');
      isEnded = true;
    } as FakeService['events'];
    const controller = new AbortController();
    const stream = createClient(harness).events({ follow: true }, controller.signal)[Symbol.asyncIterator]();
    assert.equal((await stream.next()).value?.seq, 1);
    controller.abort();
    await assert.rejects(async () => stream.next());
    await eventually('the source has ended', () => isEnded);
  });

  it('takes keys of requests that begin operations, quoted or not, and refuses what is none', async () => {
    await using harness = await openHarness();
    harness.service.apps.set('shop', { config: appConfig('shop'), file: null, isStopped: false });
    const stop = async (key: string): Promise<Answer> =>
      ask(harness.socketPath, 'POST', '/v1/apps/shop/stop', undefined, { 'idempotency-key': key });
    for (const key of ['"8e03978e-40d5-43dd"', '8e03978e-40d5-43dd']) assert.equal((await stop(key)).status, 200);
    const [quoted, bare] = harness.service.requests;
    assert.equal(quoted?.key, '8e03978e-40d5-43dd');
    assert.deepEqual(bare, quoted, 'the same request');
    for (const key of ['""', '"a', 'a,b', 'x'.repeat(201)]) {
      const { status, text } = await stop(key);
      assert.equal(status, 400, key);
      assert.match((JSON.parse(text) as ErrorDocument).error.message, /Idempotency-Key/);
    }
    await ask(harness.socketPath, 'DELETE', '/v1/apps/shop', undefined, { 'idempotency-key': 'k' });
    const other = harness.service.requests.at(-1);
    assert.equal(other?.key, 'k');
    assert.notEqual(other.digest, quoted?.digest, 'another request');
  });

  it('describes every route in OpenAPI', async () => {
    await using harness = await openHarness();
    const { text } = await ask(harness.socketPath, 'GET', '/v1/openapi.json');
    const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
    for (const { method, path } of ROUTES)
      assert.ok(paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()], `${method} ${path}`);
    const shapes = Object.keys(paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'));
    assert.equal(new Set(shapes).size, shapes.length, 'no two paths differ in a name alone');
    assert.match(JSON.stringify(paths['/v1/apps/{app}']?.['delete']), /app%2Fslot/);
    assert.doesNotMatch(JSON.stringify(paths['/v1/apps/{app}']?.['get']), /app%2Fslot/);
    assert.doesNotMatch(text, /"\$ref":"(?!#\/components\/schemas\/)/);
    const isKeyed = (description: unknown): boolean => JSON.stringify(description).includes('"Idempotency-Key"');
    assert.equal(isKeyed(paths['/v1/apps/{app}/reload']?.['post']), true);
    assert.equal(isKeyed(paths['/v1/apps/{app}']?.['delete']), true);
    assert.equal(isKeyed(paths['/v1/apps/{app}/signal']?.['post']), false);
  });
});

describe('the socket', () => {
  it('is for its owner only', async () => {
    await using harness = await openHarness();
    assert.equal(statSync(harness.socketPath).mode & 0o777, 0o600);
  });

  it('is made again where somebody removed its file, and what is open stays open', async () => {
    await using harness = await openHarness();
    const { socketPath, server } = harness;
    const open = connect(socketPath);
    await once(open, 'connect');
    rmSync(socketPath);
    await server.listenAgain();
    assert.equal((await ask(socketPath, 'GET', '/v1/apps')).status, 200);
    assert.equal(statSync(socketPath).mode & 0o777, 0o600);
    open.end('GET /v1/apps HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(open, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200/);
  });

  it('is taken over from a daemon that was killed', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    // A socket file that nobody listens on: Node removes its own at close, so it is made by a process that is killed.
    const { spawn } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    assert.ok(existsSync(socketPath));
    const server = await serveApi({ service: new FakeService(), socketPath, onDefect: failOnDefect });
    assert.equal((await ask(socketPath, 'GET', '/v1/apps')).status, 200);
    await server.close();
  });

  it('is not taken from a daemon that answers', async () => {
    await using harness = await openHarness();
    const { socketPath } = harness;
    await assert.rejects(serveApi({ service: new FakeService(), socketPath, onDefect: failOnDefect }), {
      code: 'DROVER_DAEMON_RUNNING',
    });
    assert.equal((await ask(socketPath, 'GET', '/v1/apps')).status, 200);
  });

  it('does not remove a file that is no socket', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    writeFileSync(socketPath, 'precious');
    await assert.rejects(serveApi({ service: new FakeService(), socketPath, onDefect: failOnDefect }));
    assert.ok(statSync(socketPath).isFile());
  });

  it('closes while streams are open', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    const service = new FakeService();
    service.events = async function* (_query: unknown, signal?: AbortSignal) {
      yield { seq: 1, at: '', app: null, type: 'defect', reason: null, data: {} };
      await once(signal as AbortSignal, 'abort');
    } as FakeService['events'];
    const server = await serveApi({ service, socketPath, onDefect: failOnDefect });
    const stream = createClient({ socketPath }).events({ follow: true })[Symbol.asyncIterator]();
    await stream.next();
    await server.close();
    assert.ok(!existsSync(socketPath));
    await stream.return?.();
  });

  it('is reported by the client as unreachable, hanging or not HTTP', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    await assert.rejects(createClient({ socketPath }).list(), { code: 'DROVER_DAEMON_UNREACHABLE' });
    const mute = createServer((socket) => socket.resume()).listen(socketPath);
    await once(mute, 'listening');
    await assert.rejects(createClient({ socketPath, timeoutMs: 100 }).list(), { code: 'DROVER_TIMEOUT' });
    await assert.rejects(createClient({ socketPath, timeoutMs: 100 }).reload('shop', null), {
      code: 'DROVER_TIMEOUT',
      hint: /may still be carried out/,
    });
    mute.close();
  });

  it('is given all the time for a change that has to wait, as long as it answers others', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    const service = new FakeService();
    const waiting = Promise.withResolvers<void>();
    const notices: string[] = [];
    service.stop = async () => {
      await waiting.promise;
      return [];
    };
    const server = await serveApi({ service, socketPath, onDefect: failOnDefect });
    const onNotice = (text: string): void => {
      notices.push(text);
      waiting.resolve();
    };
    assert.deepEqual(await createClient({ socketPath, timeoutMs: 50, onNotice }).stop('shop'), []);
    assert.deepEqual(notices, ['No answer yet: the change waits for what is under way.']);
    await server.close();
  });
});
