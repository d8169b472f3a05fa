/**
 * Requests that are wrong in every way, on the socket of a daemon with a running app: an error document with a status
 * from 400 to 499 (or 501), never a defect, and nothing is changed. The routes come from `/v1/openapi.json`.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { AppConfigSchema } from '../../src/api/schemas.ts';
import type { AppConfig, DaemonDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { read } from '../support/service.ts';
import { assertErrorDocument, openWitness, type Witness } from '../support/witness.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Route {
  readonly method: string;
  /** With `{app}` or `{id}` for a segment. */
  readonly path: string;
  readonly query: readonly string[];
  readonly takesBody: boolean;
}

type Json = Record<string, unknown>;

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK', 'QUERY'];

/** Names that no path should reach anything with. */
// oxfmt-ignore
const STRANGERS = [
  'nobody', '..', '.', '%2e%2e%2f%2e%2e', '%00', '%', '%E0%A4%A', '%ff', 'a%2Fb%2Fc', '%1B[31m', '__proto__', 'x'.repeat(300),
  'shop%2F99', 'shop%2F-1', 'SHOP', '%20', 'shop%20', ';', '*', "'", '%22%3E', 'constructor',
];

/** What is no body of any route. */
// oxfmt-ignore
const NO_BODIES: readonly (string | Buffer)[] = [
  '', '{', 'null', '[]', '"x"', '1', 'true', '{}', '\u0000', '{"a":1}', '{"__proto__":{"x":1}}', '{"file":1,"apps":1}',
  '{"callerEnv":1}', '{"to":0}', '{"to":257}', '{"by":1.5}', '{"by":1,"to":1}', '{"signal":"SIGNOTHING"}', '{"keepWorkers":1}',
  '{"callerEnv":{"A=B":"x"}}', '{"callerEnv":{"A":"\\u0000"}}', '{"callerEnv":null,"more":1}', '{"keepWorkers":true,"x":1}',
  '['.repeat(500_000),
  '['.repeat(100_000) + ']'.repeat(100_000),
  `{"file":null,"apps":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  `{"callerEnv":{"A":"${'x'.repeat(9 * 1024 ** 2)}"}}`,
  Buffer.from([0xff, 0xfe, 0x7b]),
];

describe('a wrong request', () => {
  let witness: Witness;
  let socketPath = '';
  let routes: readonly Route[] = [];

  before(async () => {
    witness = await openWitness();
    socketPath = join(witness.drover.home, 'drover.sock');
    routes = await readRoutes();
  });
  after(async () => witness[Symbol.asyncDispose]());

  const readRoutes = async (): Promise<Route[]> => {
    const { paths } = await read<{
      paths: Record<string, Record<string, { parameters: { in: string; name: string }[]; requestBody?: unknown }>>;
    }>(witness.drover, '/v1/openapi.json');
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
        takesBody: requestBody !== undefined,
      })),
    );
  };

  const ask = async (method: string, path: string, body?: string | Buffer): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest({ socketPath, method, path, agent: false, headers, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path.slice(0, 100)}: no answer`)));
    request.on('error', reject);
    request.end(body);
    return promise;
  };

  const refuse = async (status: number, method: string, path: string, body?: string | Buffer): Promise<string> => {
    const answer = await ask(method, path, body);
    const what = `${method} ${path.slice(0, 200)} ${String(body ?? '').slice(0, 200)} → ${answer.status} ${answer.text}`;
    assert.equal(answer.status, status, what);
    return assertErrorDocument(answer.text, null, what);
  };

  const fill = (path: string, name: string): string => path.replaceAll(/\{\w+\}/g, () => name);
  const hasName = ({ path }: Route): boolean => path.includes('{');
  /** A path of this route that means what is there. */
  const real = ({ path }: Route): string => path.replaceAll('{app}', 'shop').replaceAll('{id}', 'none');

  /** Writes bytes as they are and returns all that comes back until the daemon closes, or has answered `count` times. */
  const raw = async (bytes: string | Buffer, count = Infinity): Promise<string> => {
    const socket = connect(socketPath);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.write(bytes);
    const closed = once(socket, 'close');
    await Promise.race([closed, eventually('the answers came', () => text.split('HTTP/1.1 ').length > count)]);
    socket.destroy();
    return text;
  };

  it('with a method that the path does not have', async () => {
    const shape = (path: string): string => path.replaceAll(/\{\w+\}/g, '{}');
    const known = new Set(routes.map(({ method, path }) => `${method} ${shape(path)}`));
    for (const path of new Set(routes.map((route) => route.path)))
      for (const method of METHODS.filter((one) => !known.has(`${one} ${shape(path)}`)))
        await refuse(404, method, fill(path, 'shop'), method === 'TRACE' ? undefined : '{}');
    await witness.assertUnchanged();
  });

  it('for a path that is none', async () => {
    for (const path of [
      '/',
      '/v1',
      '/v1/',
      '/v2/apps',
      '/v1/appz',
      '/v1/apps/shop/env/x',
      '//v1/apps',
      '/v1/%61pps/..',
      '/../v1/apps',
      '/V1/APPS',
    ])
      await refuse(404, 'GET', path);
    await witness.assertUnchanged();
  });

  it('with names of nobody', async () => {
    for (const route of routes.filter(hasName))
      for (const name of STRANGERS) {
        const body = route.takesBody ? rightBody(route.path) : undefined;
        const answer = await ask(route.method, fill(route.path, name), body);
        const what = `${route.method} ${fill(route.path, name)}: ${answer.status} ${answer.text}`;
        assert.ok(answer.status === 404 || answer.status === 400, what);
        assertErrorDocument(answer.text, null, what);
      }
    await witness.assertUnchanged();
  });

  it('with a query that it does not take, on the real app', async () => {
    for (const route of routes) {
      const body = route.takesBody ? rightBody(route.path) : undefined;
      for (const query of ['nope=1', 'x', '__proto__=1', '%E0%A4%A=1', '='])
        await refuse(400, route.method, `${real(route)}?${query}`, body);
      for (const name of route.query.filter((one) => one !== 'app' && one !== 'target')) {
        const values =
          name === 'grep' ? ['(', 'x'.repeat(1_001)] : ['', '-1', 'x', '1e3', '9'.repeat(17), '1.5', '%00', 'TRUE'];
        for (const value of values) await refuse(400, route.method, `${real(route)}?${name}=${value}`, body);
      }
      for (const name of route.query.filter((one) => one === 'app' || one === 'target'))
        for (const value of STRANGERS) await refuse(404, route.method, `${real(route)}?${name}=${value}`, body);
    }
    await witness.assertUnchanged();
  });

  it('with a body of a wrong type, too long, too deep or none, on the real app', async () => {
    for (const route of routes.filter(({ takesBody }) => takesBody))
      for (const body of NO_BODIES) {
        const message = await refuse(400, route.method, real(route), body);
        assert.doesNotMatch(message, /call stack/);
      }
    await witness.assertUnchanged();
  });

  it('with a configuration that is wrong in one place', async () => {
    const right = configOfShop();
    let count = 0;
    for (const wrong of corrupt(right as unknown as Json)) {
      if (v.safeParse(AppConfigSchema, wrong).success) continue;
      count += 1;
      for (const [path, more] of [
        ['start', {}],
        ['apply', { prune: true }],
        ['plan', { prune: true }],
      ] as const)
        await refuse(400, 'POST', `/v1/${path}`, JSON.stringify({ file: witness.file, apps: [wrong], ...more }));
    }
    assert.ok(count > 150, `only ${count} wrong configurations`);
    await refuse(400, 'POST', '/v1/start', JSON.stringify({ file: witness.file, apps: [right, right] }));
    await refuse(400, 'POST', '/v1/start', JSON.stringify({ file: 'relative.json', apps: [right] }));
    await refuse(409, 'POST', '/v1/start', JSON.stringify({ file: '/elsewhere.json', apps: [right] }));
    await refuse(409, 'POST', '/v1/apply', JSON.stringify({ file: witness.file, apps: [], prune: false }));
    const other = { ...right, name: 'other', ports: [] };
    await refuse(
      400,
      'POST',
      '/v1/start',
      JSON.stringify({ file: null, apps: [{ ...other, user: 'nobody-of-that-name' }] }),
    );
    const command = { kind: 'program', argv: ['/bin/sleep', '9'] };
    await refuse(
      400,
      'POST',
      '/v1/start',
      JSON.stringify({ file: null, apps: [{ ...other, command, ports: [1], instances: 2 }] }),
    );
    await witness.assertUnchanged();
  });

  it('that is hardly HTTP', async () => {
    const long = 'x'.repeat(100_000);
    const cases: [bytes: string | Buffer, status: string][] = [
      ['\u0016\u0003\u0001 hello\r\n\r\n', '400'],
      ['GET\r\n\r\n', '400'],
      ['GET /v1/apps HTTP/9.9\r\nhost: x\r\n\r\n', '400'],
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
      ['GET /v1/nothing HTTP/1.1\r\n\r\n', '404'],
      ['GET /v1/apps HTTP/1.1\r\nhost: x\r\nhost: y\r\nbad header\r\n\r\n', '400'],
      [`GET /v1/apps HTTP/1.1\r\nhost: x\r\nx: ${long}\r\n\r\n`, '4'],
      [`GET /v1/apps?${long} HTTP/1.1\r\nhost: x\r\n\r\n`, '4'],
      [`GET /v1/${'a/'.repeat(3_000)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, '404'],
      ['POST /v1/start HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', '400'],
      ['POST /v1/start HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', '400'],
      ['POST /v1/start HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n', '400'],
      ['POST /v1/start HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n{', '400'],
      [
        'POST /v1/daemon/shutdown HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}',
        '417',
      ],
      ['CONNECT localhost:1 HTTP/1.1\r\nhost: x\r\n\r\n', '4'],
      ['GET * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', '404'],
      ['OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', '404'],
      ['GET http://elsewhere/v1/nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', '404'],
      ['GET /v1/nothing HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n', '404'],
    ];
    for (const [bytes, status] of cases) {
      const text = await raw(bytes, 1);
      const what = `${JSON.stringify(bytes.toString().slice(0, 100))} → ${JSON.stringify(text)}`;
      assert.ok(text.startsWith(`HTTP/1.1 ${status}`), what);
      assertErrorDocument(text.slice(text.indexOf('\r\n\r\n') + 4), null, what);
    }
    await witness.assertUnchanged();
  });

  it('after right ones on the same connection', async () => {
    const right = 'GET /v1/daemon HTTP/1.1\r\nhost: x\r\n\r\n';
    const both = await raw(`${right}${right}${right}`, 3);
    assert.equal(both.split('HTTP/1.1 200').length, 4);
    const text = await raw(`${right}POST /v1/start HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{GARBAGE\r\n\r\n`);
    assert.match(text, /HTTP\/1\.1 400 /);
    assert.doesNotMatch(text, /HTTP\/1\.1 500/);
    await witness.assertUnchanged();
  });

  it('that is never finished, or whose answer nobody reads', async () => {
    const { pid } = await read<DaemonDocument>(witness.drover, '/v1/daemon');
    const countDescriptors = (): number => readdirSync(`/proc/${pid}/fd`).length;
    const before = countDescriptors();
    const beginnings = [
      '',
      'GET /v1/apps HTT',
      'POST /v1/start HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"file":',
      'POST /v1/start HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"fi',
      'GET /v1/events?follow=true HTTP/1.1\r\nhost: x\r\n\r\n',
      'GET /v1/logs?follow=true HTTP/1.1\r\nhost: x\r\n\r\n',
    ];
    const sockets: Socket[] = [];
    for (let round = 0; round < 40; round++)
      for (const beginning of beginnings) {
        const socket = connect(socketPath);
        socket.on('error', () => {});
        socket.write(beginning);
        sockets.push(socket);
      }
    await Promise.all(sockets.map(async (socket) => (socket.connecting ? once(socket, 'connect') : null)));
    await eventually('all of them are connected', () => countDescriptors() >= sockets.length);
    assert.equal((await ask('GET', '/v1/apps')).status, 200);
    sockets.forEach((socket, index) => (index % 2 === 0 ? socket.destroy() : socket.end()));
    for (const socket of sockets) socket.resume();
    await eventually('their descriptors are closed', () => countDescriptors() <= before + 2);
    await witness.assertUnchanged();
  });

  it('generated at random', async () => {
    const name = fc
      .oneof(
        fc.constantFrom(...STRANGERS),
        fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeURIComponent(text.toWellFormed())),
      )
      .filter((text) => text !== 'all' && text !== 'shop');
    const path = fc.oneof(
      fc.tuple(fc.nat(), name).map(([index, word]) => fill(routes[index % routes.length]?.path ?? '/', word)),
      fc.webPath({ size: 'small' }).map((text) => (text.startsWith('/') ? text : `/${text}`)),
    );
    const query = fc.oneof(
      fc.constant(''),
      fc.webQueryParameters({ size: 'small' }).map((text) => `?${text}`),
    );
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((value) => JSON.stringify(value)),
      fc.constantFrom(...NO_BODIES.slice(0, 20)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...METHODS.slice(0, 6)),
        path,
        query,
        body,
        async (method, where, what, text) => {
          const answer = await ask(method, where + what, text);
          const told = `${method} ${where}${what} ${String(text)} → ${answer.status} ${answer.text}`;
          assert.ok(answer.status < 500 || answer.status === 501, told);
          if (answer.status >= 400) assertErrorDocument(answer.text, null, told);
        },
      ),
      { numRuns: 500 },
    );
    await witness.assertUnchanged();
  });

  const configOfShop = (): AppConfig => JSON.parse(witness.readConfig('shop')) as AppConfig;

  const rightBody = (path: string): string => {
    if (path.endsWith('/scale')) return '{"to":1}';
    if (path.endsWith('/signal')) return '{"signal":"SIGWINCH"}';
    if (path.endsWith('/shutdown')) return '{"keepWorkers":true}';
    if (/\/v1\/(apply|plan)$/.test(path)) return JSON.stringify({ file: witness.file, apps: [], prune: false });
    if (path === '/v1/start') return JSON.stringify({ file: witness.file, apps: [] });
    return '{"callerEnv":null}';
  };
});

/** The same with one thing gone, of another type, or too many, at each place. */
function* corrupt(value: Json): Generator<Json> {
  for (const [key, item] of Object.entries(value)) {
    const { [key]: _, ...rest } = value;
    yield rest;
    for (const wrong of [
      null,
      true,
      -1,
      1.5,
      1e308,
      '',
      'a\0',
      '../x',
      'x'.repeat(1_000),
      [],
      [null],
      [-1],
      {},
      { x: 1 },
    ])
      yield { ...rest, [key]: wrong };
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      for (const inside of corrupt(item as Json)) yield { ...rest, [key]: inside };
  }
  yield { ...value, more: 1 };
}
