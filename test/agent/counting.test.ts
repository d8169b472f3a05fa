/** What a client saw that left before the app had ended its answer, after any answers on the same connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';
import { openFakeDaemon } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/answers-by-length.cjs');

/** Requests with the last bytes of their answers. */
const BEFORE = [
  ['GET /text', 'hello'],
  ['GET /wide', 'grün'],
  ['GET /announced', 'onetwo'],
  ['GET /written', 'one'],
  ['HEAD /announced', '\r\n\r\n'],
  ['GET /text', 'hello'],
  ['GET /chunked', '0\r\n\r\n'],
  ['GET /both', '0\r\n\r\n'],
  ['GET /empty', '\r\n\r\n'],
  ['GET /text', 'hello'],
  ['POST /text', 'hello'],
  ['GET /written', 'one'],
] as const;

/** Asks one after the other on one connection, waiting for each answer, and leaves. */
async function ask(port: number, isTls: boolean, steps: readonly (readonly [string, string])[]): Promise<void> {
  const socket = isTls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ port, host: '127.0.0.1' });
  await once(socket, isTls ? 'secureConnect' : 'connect');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
  for (const [line, last] of steps) {
    received = '';
    // A body that has to be asked for is preceded by `100 Continue`, which belongs to no length.
    const body = line.startsWith('POST') ? 'Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok' : '\r\n';
    socket.write(`${line} HTTP/1.1\r\nHost: x\r\n${body}`);
    await eventually(`'${last}' after ${line}, got ${JSON.stringify(received)}`, () => received.endsWith(last));
  }
  socket.destroy();
}

underEachNode('A connection that its client leaves', ({ path: node }) => {
  for (const isTls of [false, true]) {
    it(`${isTls ? 'over TLS ' : ''}was served with the last byte, and aborted one byte before, whatever went before`, async () => {
      await using daemon = await openFakeDaemon();
      const port = await freePort();
      const shard = daemon.shard({ kind: 'tcp', host: '::', port, v6only: false });
      const env = { PORT: String(port), ...(isTls ? { TLS: '1' } : {}) };
      const worker = await daemon.start({ app: APP, node, shards: [shard], env, reportEveryMs: 10 });
      await worker.said('listening');
      let begun = 0;
      let aborted = 0;
      // After each beginning of the list, so that one size wrong by a byte is not made up for by another.
      for (let length = 0; length <= BEFORE.length; length++) {
        const steps = BEFORE.slice(0, length);
        await ask(port, isTls, [...steps, ['GET /whole', 'onetwo']]);
        await ask(port, isTls, [...steps, ['GET /short', 'onetw']]);
        begun += 2 * length + 2;
        aborted += 1;
        const ended = ({ served, aborted }: { served: number; aborted: number }): number => served + aborted;
        const { report } = await worker.said('report', ({ report: { counters } }) => ended(counters) === begun);
        const { counters } = report;
        assert.deepEqual([counters.served, counters.aborted], [begun - aborted, aborted], `after ${length} answers`);
      }
    });
  }
});
