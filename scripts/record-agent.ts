/**
 * Records what today's agent says, from its hello to its last word, into `test/fixtures/agent-v1.json`. Run once for each
 * version of the protocol: daemons to come must understand it, so what is recorded is never recorded again.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFakeDaemon } from '../test/agent/support/fake-daemon.ts';
import { eventually } from '../test/support/eventually.ts';
import { ask } from '../test/support/service.ts';
import { freePort } from '../test/support/temporary.ts';
import { AGENT_PROTOCOL } from '../src/protocol/index.ts';
import { ROOT } from './commands.ts';

const FILE = join(ROOT, `test/fixtures/agent-v${AGENT_PROTOCOL}.json`);
if (existsSync(FILE)) throw new Error(`${FILE} is there: agents of that version are out in the world`);

await using daemon = await openFakeDaemon();
const start = async () => {
  const port = await freePort();
  const worker = await daemon.start({
    app: join(ROOT, 'test/fixtures/apps/service.cjs'),
    env: { PORT: String(port), HOST: '127.0.0.1' },
    shards: [daemon.shard({ kind: 'tcp', host: '127.0.0.1', port, v6only: false })],
    acceptAtOnce: true,
    reportEveryMs: 50,
  });
  await worker.said('listening');
  return { port, worker };
};

const drained = await start();
await ask(drained.port);
await eventually('a request was reported', () => drained.worker.lastReport?.counters.served === 1);
await drained.worker.drain();
await drained.worker.exited;
// One that ends by itself has a last word.
const ended = await start();
await ask(ended.port, '/exit/0');
await ended.worker.said('exit');
const messages = [...drained.worker.messages, ...ended.worker.messages];
// The last of each kind: it has seen most.
const byType = new Map(messages.map((message) => [message.type, message]));
writeFileSync(FILE, `${JSON.stringify([...byType.values()], null, 2)}\n`);
