/** `GracefulServer` alone, for what is not plain HTTP/1.1: what has begun ends in the way of its protocol. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect as connectNet } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { before, it } from 'node:test';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { eventually } from '../support/eventually.ts';
import { linkPackage, Program } from './support/program.ts';

/** Less than the time after which a connection that nobody understands counts as idle. */
const ANSWER_MS = 1000;

/** Sends one request, and resolves with what was answered once it has ended. */
type Client = (port: number) => Promise<string>;

const overHttp2 =
  (scheme: 'http' | 'https'): Client =>
  async (port) => {
    const session: ClientHttp2Session = connectHttp2(`${scheme}://localhost:${port}`, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/' });
    const answer = await text(stream.setEncoding('utf8'));
    // The server says that it goes away, and waits for the session's end.
    if (!session.closed) await once(session, 'close');
    return answer;
  };

const CLIENTS: Readonly<Record<string, Client>> = {
  https: async (port) => {
    const request = requestHttps({ port, host: '127.0.0.1', rejectUnauthorized: false }).end();
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
    return text(response);
  },
  http2: overHttp2('https'),
  h2c: overHttp2('http'),
  tls: async (port) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.write('answer');
    return text(socket);
  },
  net: async (port) => {
    const socket = connectNet(port, '127.0.0.1');
    socket.write('answer');
    return text(socket);
  },
};

const isRefused = async (port: number): Promise<boolean> => {
  const socket = connectNet(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
};

const NOTHING_CUT = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0 };

before(linkPackage);

underEachNode('GracefulServer', (node) => {
  const start = (protocol: string): Program =>
    new Program('leaves-by.mjs', { node: node.path, args: [protocol, String(ANSWER_MS)] });
  const cutOf = ({ lines }: Program): Record<string, number> =>
    JSON.parse(lines.find((line) => line.startsWith('cut '))?.slice(4) ?? 'null') as Record<string, number>;

  for (const [protocol, client] of Object.entries(CLIENTS)) {
    it(`finishes what has begun over ${protocol}, and refuses what is new`, { timeout: 60_000 }, async () => {
      await using program = start(protocol);
      const { port = 0 } = await program.ports();
      const answer = client(port);
      await program.printed('begun');
      program.child.kill('SIGTERM');
      await eventually('new connections are refused', async () => isRefused(port));
      assert.ok(!program.lines.some((line) => line.startsWith('cut ')), 'it was in flight');
      assert.equal(await answer, 'answer');
      assert.deepEqual(await program.exited, { code: 0, signal: null });
      assert.deepEqual(cutOf(program), { ...NOTHING_CUT, closedUpgrades: 0 });
    });
  }

  it('closes WebSockets with "service restart"', { timeout: 60_000 }, async () => {
    await using program = start('websocket');
    const { port = 0 } = await program.ports();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(socket, 'open');
    await program.printed('begun');
    program.child.kill('SIGTERM');
    const [{ code }] = (await once(socket, 'close')) as [CloseEvent];
    assert.equal(code, 1012);
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(cutOf(program), { ...NOTHING_CUT, closedUpgrades: 1 });
  });
});
