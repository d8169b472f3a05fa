import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';
import { ask } from './support/ask.ts';
import { http, httpServer, httpsServer, rawServer, saying } from './support/servers.ts';

const answer = (status: number, body = '', headers = ''): string =>
  `HTTP/1.1 ${status} Words\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('an http probe', () => {
  it('passes with what is between 200 and 399, and fails with everything else', async () => {
    for (const status of [200, 204, 302, 399, 199, 400, 404, 500, 503]) {
      await using server = await saying(answer(status, status === 204 ? '' : 'body'));
      const { outcome, error } = await ask(http(server.port), { timeoutMs: status < 200 ? 200 : 5000 });
      assert.equal(outcome, status >= 200 && status < 400 ? 'pass' : 'fail', `${status}`);
      if (status >= 400) assert.equal(error, `it answered ${status}: body`);
    }
  });

  it('asks as Kubernetes does: GET, all media types, a name of its own, one connection for it alone', async () => {
    const asked: unknown[] = [];
    await using server = await httpServer(({ method, url, headers }, response) => {
      asked.push({ method, url, headers });
      response.end();
    });
    await ask(http(server.port, { path: '/health?deep=1' }));
    assert.deepEqual(asked, [
      {
        method: 'GET',
        url: '/health?deep=1',
        headers: {
          'user-agent': 'drover-probe',
          accept: '*/*',
          host: `127.0.0.1:${server.port}`,
          connection: 'close',
        },
      },
    ]);
    await eventually('the connection is closed', () => server.sockets.size === 0);
  });

  it('sends the headers that are configured, in place of its own, and none where they are empty', async () => {
    let heard: unknown;
    await using server = await httpServer(({ headers }, response) => {
      heard = headers;
      response.end();
    });
    const headers = { host: 'shop.example', ACCEPT: '', 'user-agent': 'me', 'X-Key': 'k' };
    await ask(http(server.port, { headers }));
    assert.deepEqual(heard, { host: 'shop.example', 'user-agent': 'me', 'x-key': 'k', connection: 'close' });
  });

  it('fails with a header that cannot be sent, and says so', async () => {
    const { outcome, error } = await ask(http(1, { headers: { 'X-Key': 'a\nb' } }));
    assert.equal(outcome, 'fail');
    assert.match(error ?? '', /X-Key/);
  });

  it('gives up on who takes the connection and says nothing, and lets go of it', async () => {
    await using server = await rawServer((socket) => socket.resume());
    const { outcome, error, durationMs } = await ask(http(server.port), { timeoutMs: 200 });
    assert.equal(outcome, 'fail');
    assert.equal(error, 'it took the connection and did not answer within 200 ms');
    assert.ok(durationMs >= 200);
    await eventually('the connection is closed', () => server.sockets.size === 0);
  });

  it('gives up on a header that drips, and on a body that drips', async () => {
    for (const [start, words] of [
      ['HTTP/1.1 200 OK\r\nX: ', /did not answer within 300 ms/],
      ['HTTP/1.1 200 OK\r\n\r\n', /answered 200, but its body did not end within 300 ms/],
    ] as const) {
      await using server = await rawServer((socket) => {
        socket.write(start);
        const drip = setInterval(() => socket.write('x'), 10);
        socket.on('close', () => clearInterval(drip));
      });
      const { outcome, error } = await ask(http(server.port), { timeoutMs: 300 });
      assert.equal(outcome, 'fail');
      assert.match(error ?? '', words);
      await eventually('the connection is closed', () => server.sockets.size === 0);
    }
  });

  it('reads no more than 10 KiB of a body that never ends, and judges by the status', async () => {
    for (const status of [200, 500]) {
      let sent = 0;
      await using server = await rawServer((socket) => {
        socket.write(`HTTP/1.1 ${status} Words\r\n\r\n`);
        const more = (): void => {
          while (!socket.destroyed && socket.write('x'.repeat(65_536))) sent += 65_536;
        };
        socket.on('drain', more);
        more();
      });
      const { outcome, error } = await ask(http(server.port), { timeoutMs: 10_000 });
      assert.equal(outcome, status === 200 ? 'pass' : 'fail');
      assert.ok((error ?? '').length <= 1000, 'what is kept is bounded');
      await eventually('the connection is closed', () => server.sockets.size === 0);
      assert.ok(sent < 64 * 1024 ** 2, `${sent} bytes were taken from it`);
    }
  });

  it('says what the body said, on one line and without what a terminal would obey', async () => {
    await using server = await saying(answer(503, 'database:\r\n  \u001b[31mdown\u0007\n'));
    const { error } = await ask(http(server.port));
    assert.equal(error, 'it answered 503: database: [31mdown');
  });

  it('takes an answer whose end is the end of the connection', async () => {
    await using server = await rawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 500 No\r\n\r\nbroken')),
    );
    assert.equal((await ask(http(server.port))).error, 'it answered 500: broken');
  });

  it('fails where the connection ends before, or within, the answer', async () => {
    await using early = await rawServer((socket) => socket.once('data', () => socket.end()));
    assert.equal((await ask(http(early.port))).outcome, 'fail');
    await using reset = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    assert.match((await ask(http(reset.port))).error ?? '', /reset/);
    await using within = await rawServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')),
    );
    assert.equal((await ask(http(within.port))).error, 'it answered 200, but its body was cut off');
  });

  it('fails with what is no HTTP, and with a header beyond all measure', async () => {
    await using talker = await saying('220 mail.example ESMTP\r\n');
    assert.equal((await ask(http(talker.port))).outcome, 'fail');
    await using boaster = await saying(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1024 ** 2)}`);
    assert.match((await ask(http(boaster.port))).error ?? '', /Header overflow|HPE_HEADER_OVERFLOW/);
    await using changer = await saying('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    assert.equal((await ask(http(changer.port))).outcome, 'fail');
  });

  it('fails where nobody listens', async () => {
    const { outcome, error } = await ask(http(await freePort()));
    assert.equal(outcome, 'fail');
    assert.equal(error, 'the connection was refused (ECONNREFUSED)');
  });

  it('follows redirects to the same host', async () => {
    const paths: string[] = [];
    await using server = await httpServer(({ url = '' }, response) => {
      paths.push(url);
      if (url === '/end') response.writeHead(500).end('there');
      else
        response.writeHead(302, { Location: url === '/health' ? 'next' : `http://127.0.0.1:${server.port}/end` }).end();
    });
    assert.equal((await ask(http(server.port))).error, 'it answered 500: there');
    assert.deepEqual(paths, ['/health', '/next', '/end']);
  });

  it('stops at the eleventh redirect, and counts it as good, with a warning', async () => {
    let asked = 0;
    await using server = await httpServer((_request, response) => {
      asked += 1;
      response.writeHead(301, { Location: '/health' }).end();
    });
    const { outcome, warning } = await ask(http(server.port), { timeoutMs: 10_000 });
    assert.equal(outcome, 'pass');
    assert.match(warning ?? '', /more than 10 times/);
    assert.equal(asked, 11);
  });

  it('does not follow redirects elsewhere, and counts them as good, with a warning', async () => {
    for (const location of [
      'http://shop.example/login',
      '//shop.example/',
      'http://localhost:PORT/',
      'http://127.0.0.1:1/',
    ]) {
      let asked = 0;
      await using server = await httpServer((_request, response) => {
        asked += 1;
        response.writeHead(302, { Location: location.replace('PORT', String(server.port)) }).end();
      });
      // Its only port, for redirects to another name with the same port.
      const address = (port: number | null) =>
        port === server.port ? ({ kind: 'tcp', host: '127.0.0.1', port, v6only: false } as const) : null;
      const { outcome, warning } = await ask(http(server.port), {}, { address });
      assert.equal(asked, 1);
      assert.equal(outcome, 'pass');
      assert.match(warning ?? '', /which is not this worker/);
    }
  });

  it('takes a redirect for what it is where it names no place to go to', async () => {
    for (const header of ['', 'Location: http://\r\n', 'Location: ftp://127.0.0.1/\r\n']) {
      await using server = await saying(answer(302, '', header));
      assert.deepEqual(
        [(await ask(http(server.port))).outcome, (await ask(http(server.port))).warning],
        ['pass', null],
      );
    }
  });

  it('speaks TLS without looking at the certificate', async () => {
    await using server = await httpsServer((_request, response) => response.writeHead(200).end());
    assert.equal((await ask(http(server.port, { scheme: 'https' }), { timeoutMs: 10_000 })).outcome, 'pass');
    const { outcome } = await ask(http(server.port), { timeoutMs: 10_000 });
    assert.equal(outcome, 'fail', 'without TLS it is not understood');
    await using plain = await httpServer((_request, response) => response.end());
    assert.equal((await ask(http(plain.port, { scheme: 'https' }), { timeoutMs: 10_000 })).outcome, 'fail');
  });

  it('reaches a worker through its private socket, and says its address', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 's');
    let host = '';
    await using _server = await httpServer(({ headers }, response) => {
      host = headers.host ?? '';
      response.end();
    }, path);
    const reach = {
      privateSocket: () => path,
      address: () => ({ kind: 'tcp', host: '::', port: 3000, v6only: false }) as const,
    };
    assert.equal((await ask(http(null), {}, reach)).outcome, 'pass');
    assert.equal(host, '[::1]:3000');
  });

  it('fails where a private socket is full or nobody accepts from it', async () => {
    await using folder = await temporaryFolder();
    const { outcome, error } = await ask(http(null), {}, { privateSocket: () => join(folder.path, 'none') });
    assert.equal(outcome, 'fail');
    assert.equal(error, 'its socket is not there (ENOENT)');
  });

  it('takes the first port of the worker where none is named, and fails while it listens on none', async () => {
    await using server = await httpServer((_request, response) => response.end());
    const address = (): { kind: 'tcp'; host: string; port: number; v6only: boolean } => ({
      kind: 'tcp',
      host: '0.0.0.0',
      port: server.port,
      v6only: false,
    });
    assert.equal((await ask(http(null), {}, { address })).outcome, 'pass');
    assert.equal((await ask(http(null))).error, 'it does not listen');
  });

  it('fails with the name of a host that does not exist', async () => {
    const { outcome } = await ask(http(80, { host: 'no-such-host.invalid' }), { timeoutMs: 20_000 });
    assert.equal(outcome, 'fail');
  });
});

describe('a daemon without https probes', () => {
  it('does not load what TLS needs', () => {
    // What is imported statically is loaded with the daemon.
    for (const file of ['http.ts', 'tcp.ts', 'connection.ts']) {
      const source = readFileSync(join(import.meta.dirname, '../../src/probes/checks', file), 'utf8');
      assert.doesNotMatch(source, /^import (?!type)[^;]*node:(http|https|tls|dns)'/m);
    }
  });
});
