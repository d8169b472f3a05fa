/** The load is what all loss figures rest on: it is shown here to notice each kind of loss, and to see none else. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, constants } from 'node:http2';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { Load } from './load.ts';
import { completeSpec, type LoadReport, type LoadSpec } from './spec.ts';

const opened: Server[] = [];
after(() => opened.forEach((server) => server.close()));

async function listen(server: Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve = async (listener: RequestListener): Promise<number> => listen(createServer(listener));
const serveRaw = async (onSocket: (socket: Socket) => void): Promise<number> => listen(createNetServer(onSocket));

/** In this process: only what it sees matters here. */
const run = async (wish: Partial<LoadSpec> & Pick<LoadSpec, 'mode' | 'port'>): Promise<LoadReport> =>
  new Load(completeSpec({ connections: 1, maxRequests: 1, seconds: 10, timeoutMs: 5000, ...wish })).run();

const WHOLE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('the load over HTTP/1.1', () => {
  it('answers for every request of a healthy server', async () => {
    const port = await serve((_request, response) => response.end('hello'));
    const report = await run({ mode: 'kept', port, connections: 3, maxRequests: 100 });
    assert.deepEqual([report.answered, report.lost, report.connections.opened], [100, 0, 3]);
    assert.equal(
      report.seconds.reduce((sum, { answered }) => sum + answered, 0),
      100,
    );
  });

  it('does not reuse a connection after Connection: close', async () => {
    const port = await serve((_request, response) => response.setHeader('connection', 'close').end('hello'));
    const report = await run({ mode: 'kept', port, maxRequests: 5 });
    assert.deepEqual([report.answered, report.lost, report.connections.opened], [5, 0, 5]);
  });

  it('calls an answer that is cut lost, with the reason', async () => {
    const port = await serveRaw((socket) => socket.once('data', () => socket.end(WHOLE.slice(0, -2))));
    const report = await run({ mode: 'kept', port });
    assert.deepEqual(report.lostByReason, { 'closed in the response': 1 });
    assert.equal(typeof report.lostRequests[0]?.localPort, 'number');
  });

  it('calls a request that gets no answer lost, and tells a close from a reset and a refusal', async () => {
    const closing = await serveRaw((socket) => socket.once('data', () => socket.end()));
    assert.deepEqual((await run({ mode: 'kept', port: closing })).lostByReason, { 'closed before the response': 1 });
    const resetting = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    assert.deepEqual((await run({ mode: 'new', port: resetting })).lostByReason, {
      'ECONNRESET before the response': 1,
    });
    const refused = await run({ mode: 'new', port: 1 });
    assert.deepEqual(refused.lostByReason, { 'connect ECONNREFUSED': 1 });
  });

  it('calls silence lost', async () => {
    const port = await serveRaw(() => {});
    const report = await run({ mode: 'kept', port, timeoutMs: 50 });
    assert.deepEqual(report.lostByReason, { 'timeout before the response': 1 });
  });

  it('calls a status other than 2xx lost', async () => {
    const port = await serve((_request, response) => void response.writeHead(503).end('no'));
    assert.deepEqual((await run({ mode: 'kept', port })).lostByReason, { 'status 503': 1 });
  });

  it('does not mind a kept connection that is closed while idle', async () => {
    const port = await serveRaw((socket) => socket.once('data', () => socket.end(WHOLE)));
    const report = await run({ mode: 'kept', port, maxRequests: 3, pauseMs: [30, 40] });
    assert.deepEqual([report.answered, report.lost, report.connections.opened], [3, 0, 3]);
    assert.equal(report.connections.closedIdle >= 2, true);
  });

  it('notices an upload that arrived incomplete', async () => {
    const port = await serve((request, response) => {
      request.resume();
      request.on('end', () => response.end('65535'));
    });
    assert.deepEqual((await run({ mode: 'post', port })).lostByReason, { 'upload arrived incomplete': 1 });
  });

  it('notices a wrong byte in a download', async () => {
    const port = await serve((_request, response) => response.end(Buffer.from([0, 1, 2, 4])));
    assert.deepEqual((await run({ mode: 'download', port })).lostByReason, { 'wrong byte at 3': 1 });
  });

  it('reads chunks however they are cut', async () => {
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    for (let cut = 1; cut < text.length; cut++) {
      const port = await serveRaw((socket) => {
        socket.setNoDelay(true);
        socket.once('data', () =>
          socket.write(text.slice(0, cut), () => setImmediate(() => socket.write(text.slice(cut)))),
        );
      });
      const report = await run({ mode: 'kept', port });
      assert.deepEqual([report.answered, report.lost], [1, 0], `cut at ${cut}`);
    }
  });
});

describe('the load of server-sent events', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

  it('tells a stream that ends at a border from one that is cut', async () => {
    const polite = await serveRaw((socket) =>
      socket.once('data', () => socket.end(HEAD + chunk('id: 1\ndata: x\n\n'))),
    );
    const report = await run({ mode: 'events', port: polite });
    assert.deepEqual([report.answered, report.lost, report.streams.endings], [1, 0, { 'at a border': 1 }]);
    const rude = await serveRaw((socket) => socket.once('data', () => socket.end(HEAD + chunk('id: 1\nda'))));
    assert.deepEqual((await run({ mode: 'events', port: rude })).lostByReason, { 'cut in an event': 1 });
  });

  it('notices an event that is missing', async () => {
    const port = await serveRaw((socket) => socket.once('data', () => socket.end(HEAD + chunk('id: 2\ndata: x\n\n'))));
    assert.deepEqual((await run({ mode: 'events', port })).lostByReason, { 'event 2 after 0': 1 });
  });
});

describe('the load of WebSockets', () => {
  const ACCEPT = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const CLOSE_1012 = Buffer.from([0x88, 2, 0x03, 0xf4]);
  const after101 = async (then: (socket: Socket) => void): Promise<number> =>
    serveRaw((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(ACCEPT);
        then(socket);
      });
    });

  it('reports the close code of each client', async () => {
    const port = await after101((socket) => socket.end(CLOSE_1012));
    const report = await run({ mode: 'websocket', port, connections: 2, maxRequests: 2 });
    assert.deepEqual(report.streams.endings, { 1012: 2 });
    assert.deepEqual([report.streams.endingsPerClient, report.lost], [[1, 1], 0]);
  });

  it('notices a cut in mid-frame and an end without a close frame', async () => {
    const midFrame = await after101((socket) => socket.end(Buffer.from([0x81, 100, 1, 2, 3])));
    assert.deepEqual((await run({ mode: 'websocket', port: midFrame })).lostByReason, { 'cut in mid-frame': 1 });
    const silent = await after101((socket) => socket.end());
    const report = await run({ mode: 'websocket', port: silent });
    assert.deepEqual(report.lostByReason, { 'closed without a close frame': 1 });
    assert.deepEqual(report.streams.endings, { 1006: 1 });
  });
});

describe('the load over HTTP/2', () => {
  it('sends a refused stream again and counts it apart', async () => {
    const server = createHttp2Server();
    let streams = 0;
    server.on('stream', (stream) => {
      streams += 1;
      stream.on('error', () => {});
      if (streams === 1) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    const report = await run({ mode: 'http2', port: await listen(server) });
    assert.deepEqual([report.answered, report.refused, report.lost], [1, 1, 0]);
  });

  it('calls any other reset lost', async () => {
    const server = createHttp2Server();
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    const report = await run({ mode: 'http2', port: await listen(server) });
    assert.equal(report.lost, 1);
    assert.equal(report.refused, 0);
  });
});
