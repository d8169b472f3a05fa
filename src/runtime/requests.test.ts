import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { subtractHistogram } from './histogram.ts';
import type { NetSocket } from './node-internals.ts';
import { RequestMeter } from './requests.ts';
import { Routes } from './routes.ts';

const START = channel('http.server.request.start');
const FINISH = channel('http.server.response.finish');

interface FakeParser {
  remove: () => void;
}

/** A connection as Node's channels show it. */
class FakeConnection {
  readonly #parser: FakeParser;
  readonly socket;

  /** `parser`: one that another connection has given back. */
  constructor(parser: FakeParser = { remove: () => undefined }) {
    this.#parser = parser;
    const used: { parser: FakeParser | null } = { parser };
    this.socket = Object.assign(new EventEmitter(), used, {
      destroyed: false,
      _handle: { bytesWritten: 0 },
      bytesWritten: 0,
      _httpMessage: null as object | null,
    });
  }

  start(response: object = { statusCode: 200 }): object {
    START.publish({ request: {}, response, socket: this.socket, server: {} });
    return response;
  }

  finish(response: object, request: object = {}): void {
    FINISH.publish({ request, response, socket: this.socket, server: {} });
  }

  close(): void {
    this.socket.destroyed = true;
    if (this.socket.parser !== null) this.upgrade();
    this.socket.emit('close');
  }

  /** Node frees the parser of an upgraded connection, as of a closed one. */
  upgrade(): void {
    this.#parser.remove();
    this.socket.parser = null;
  }
}

/** The channels are the process's, so one meter serves all tests, and they look at differences. */
let at = 0;
let isPrivate = false;
const meter = new RequestMeter({ now: () => at, isPrivate: (_socket: NetSocket) => isPrivate });
meter.attach();

function changes(act: () => void): Record<string, number> {
  const before = meter.read();
  act();
  const after = meter.read();
  const names = ['begun', 'served', 'failed', 'lost', 'aborted', 'refused'] as const;
  return Object.fromEntries(
    names.map((name) => [name, after[name] - before[name]]).filter(([, change]) => change !== 0),
  );
}

describe('The request meter', () => {
  it('counts what was answered by its status', () => {
    const seen = changes(() => {
      const connection = new FakeConnection();
      for (const statusCode of [200, 404, 500]) connection.finish(connection.start({ statusCode }));
    });
    assert.deepEqual(seen, { begun: 3, served: 2, failed: 1 });
    assert.equal(meter.inFlight, 0);
  });

  it('counts each request once, by route or not, and tells of all', () => {
    const before = meter.read();
    meter.routes = new Routes(10);
    const answer = (url: string, tookMs: number): void => {
      const connection = new FakeConnection();
      const response = connection.start();
      at += tookMs;
      connection.finish(response, { method: 'GET', url });
    };
    answer('/before', 1000);
    meter.countsRoutes = true;
    for (const url of ['/a', '/b', '/b']) answer(url, 2000);
    meter.countsRoutes = false;
    answer('/after', 3000);
    const after = meter.read();
    assert.equal((after.byClass[2] ?? 0) - (before.byClass[2] ?? 0), 5);
    assert.deepEqual(
      subtractHistogram(after.latency, before.latency).filter((_, index) => index % 2 === 1),
      [1, 3, 1],
    );
    assert.deepEqual(
      meter.routes.read().list.map(({ route, byClass }) => [route, byClass[2]]),
      [
        ['/a', 1],
        ['/b', 2],
      ],
    );
  });

  it('times pipelined requests each from its own begin', () => {
    const before = meter.read().latency.length;
    const connection = new FakeConnection();
    at = 0;
    const first = connection.start();
    at = 100;
    const second = connection.start();
    at = 200;
    connection.finish(first);
    connection.finish(second);
    const latency = meter.read().latency;
    assert.equal(latency.length - before, 4, 'two buckets, 100 ms and 200 ms');
  });

  it('counts what a client left behind as aborted', () => {
    const seen = changes(() => {
      const connection = new FakeConnection();
      connection.start();
      connection.start();
      connection.close();
    });
    assert.deepEqual(seen, { begun: 2, aborted: 2 });
    assert.equal(meter.inFlight, 0);
  });

  it('counts an answer as served whose last byte was sent when the client left', () => {
    const header = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
    const known = { statusCode: 200, _header: header, _contentLength: 1000 - header.length, _hasBody: true };
    const answers = [
      { answer: { statusCode: 200, _header: header, _contentLength: null }, told: 1000, tookMs: 0 },
      { answer: { ...known, chunkedEncoding: true }, told: 1000, tookMs: 0 },
      { answer: { ...known, _sent100: true }, told: 1000, tookMs: 0 },
      // May have given early hints.
      { answer: known, told: 1000, tookMs: 5 },
      // The socket is not asked.
      { answer: known, told: 7, tookMs: 0 },
      { answer: { ...known, _header: 'x'.repeat(1000), _hasBody: false }, told: 7, tookMs: 0 },
    ];
    const leaveAfter = (bytes: number, { answer, told, tookMs }: (typeof answers)[number]): Record<string, number> =>
      changes(() => {
        const connection = new FakeConnection();
        const before = connection.start(answer);
        at += tookMs;
        connection.socket._handle.bytesWritten = told;
        connection.finish(before);
        connection.start();
        connection.socket._httpMessage = { statusCode: 200, _header: header };
        connection.socket.bytesWritten = 1000 + header.length + bytes;
        connection.close();
      });
    for (const before of answers) {
      assert.deepEqual(leaveAfter(10, before), { begun: 2, served: 2 });
      assert.deepEqual(leaveAfter(9, before), { begun: 2, served: 1, aborted: 1 });
    }
  });

  it('keeps connections apart that have one parser after the other', () => {
    const parser = { remove: () => undefined };
    const first = new FakeConnection(parser);
    const late = first.start();
    first.close();
    const second = new FakeConnection(parser);
    const seen = changes(() => {
      const response = second.start();
      first.finish(late);
      assert.equal(meter.connectionOf(first.socket as unknown as NetSocket), undefined);
      assert.equal(meter.connectionOf(second.socket as unknown as NetSocket)?.pending, 1);
      second.finish(response);
      second.close();
    });
    assert.deepEqual(seen, { begun: 1, served: 1 });
  });

  it('goes on counting what was asked before a connection was upgraded', () => {
    const seen = changes(() => {
      const connection = new FakeConnection();
      const first = connection.start();
      connection.start();
      connection.upgrade();
      connection.finish(first);
      connection.close();
    });
    assert.deepEqual(seen, { begun: 2, served: 1, aborted: 1 });
    assert.equal(meter.inFlight, 0);
  });

  it('counts a response that finishes after its connection closed only once', () => {
    const seen = changes(() => {
      const connection = new FakeConnection();
      const response = connection.start();
      connection.close();
      connection.finish(response);
    });
    assert.deepEqual(seen, { begun: 1, aborted: 1 });
  });

  it('leaves out what came over a private socket', () => {
    isPrivate = true;
    const seen = changes(() => {
      const connection = new FakeConnection();
      connection.finish(connection.start());
      connection.start();
      connection.close();
    });
    isPrivate = false;
    assert.deepEqual(seen, {});
    assert.equal(meter.inFlight, 0);
  });

  // The last one: the meter goes on like this.
  it('loses what is in flight when the process ends, until that is answered all the same', () => {
    const connection = new FakeConnection();
    let response: object = {};
    const seen = changes(() => {
      response = connection.start();
      meter.loseInFlight();
    });
    assert.deepEqual(seen, { begun: 1, lost: 1 });
    assert.deepEqual(
      changes(() => connection.finish(response)),
      { served: 1, lost: -1 },
    );
  });
});
