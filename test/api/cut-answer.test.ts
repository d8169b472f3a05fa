/** A client whose daemon goes away in the middle of an answer, against servers that hang up. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { createClient } from '../../src/client/index.ts';
import { watchOperation } from '../../src/client/watch-operation.ts';
import { DroverError, type OperationDocument } from '../../src/protocol/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Heard {
  readonly method: string | undefined;
  readonly key: string | undefined;
  readonly body: string;
}

type Reply = (response: ServerResponse, socket: Socket) => void;

/** Answers the n-th request with the n-th reply, and the last of them from then on. */
const openServer = async (path: string, replies: readonly Reply[]): Promise<{ server: Server; heard: Heard[] }> => {
  const heard: Heard[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      heard.push({ method: request.method, key: request.headers['idempotency-key'] as string | undefined, body });
      (replies[heard.length - 1] ?? replies.at(-1))?.(response, request.socket);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return { server, heard };
};

const hangUp: Reply = (_response, socket) => void socket.destroy();
const breakOff: Reply = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"operations":', () => response.destroy());
};
const answer: Reply = (response) => void response.end('{"operations":[]}');

describe('who waits for an operation', () => {
  it('waits for the next daemon also where the one before had no news for long', async () => {
    let now = 0;
    mock.method(performance, 'now', () => now);
    const [running, done] = ['running', 'done'].map((status) => ({ status }) as unknown as OperationDocument);
    const gone = (): never => {
      throw new DroverError('DROVER_DAEMON_UNREACHABLE', { socket: '' });
    };
    let turn = 0;
    const open = async function* (): AsyncGenerator<OperationDocument> {
      turn += 1;
      if (turn === 1) {
        yield running!;
        now += 60_000;
        gone();
      }
      if (turn < 4) gone();
      yield done!;
    };
    const told: OperationDocument[] = [];
    for await (const document of watchOperation(open, undefined)) told.push(document);
    assert.deepEqual(told, [running, done]);
    turn = 0;
    const waitsTooLong = async (): Promise<void> => {
      for await (const document of watchOperation(open, undefined)) {
        void document;
        turn = 1;
        mock.method(performance, 'now', () => (now += 10_000));
      }
    };
    await assert.rejects(waitsTooLong, { code: 'DROVER_DAEMON_UNREACHABLE' });
    mock.restoreAll();
  });
});

describe('a client whose answer is cut', () => {
  it('sends a request that begins operations again, with the same key, and takes the answer of the next daemon', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    const { server, heard } = await openServer(socketPath, [hangUp, breakOff, answer]);
    const client = createClient({ socketPath });
    assert.deepEqual(await client.scale('shop', { by: 1 }), []);
    assert.equal(heard.length, 3);
    assert.match(heard[0]?.key ?? '', /^"[\w-]{10,}"$/);
    assert.deepEqual([heard[1], heard[2]], [heard[0], heard[0]]);
    await client.delete('shop');
    assert.notEqual(heard[3]?.key, heard[0]?.key, 'each request has one of its own');
    server.close();
  });

  it('waits for a daemon that is not there yet', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    let next: Promise<{ server: Server; heard: Heard[] }> | null = null;
    const first = await openServer(socketPath, [
      (_response, socket) => {
        socket.destroy();
        first.server.close(() => (next = openServer(socketPath, [answer])));
      },
    ]);
    assert.deepEqual(await createClient({ socketPath }).stop('shop'), []);
    const second = await next!;
    assert.deepEqual(second.heard, first.heard);
    second.server.close();
  });

  it('does not send again what would be done twice, nor wait where nobody was in the first place', async () => {
    await using folder = await temporaryFolder();
    const socketPath = join(folder.path, 'drover.sock');
    const { server, heard } = await openServer(socketPath, [hangUp]);
    const client = createClient({ socketPath });
    await assert.rejects(client.signal('shop', 'SIGHUP'), { code: 'DROVER_DAEMON_UNREACHABLE' });
    assert.deepEqual(
      heard.map(({ key }) => key),
      [undefined],
    );
    server.close();
    await once(server, 'close');
    await assert.rejects(client.reload('shop', null), { code: 'DROVER_DAEMON_UNREACHABLE' });
  });
});
