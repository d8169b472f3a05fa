/**
 * Preloaded into a program of the corpus (Node 20 to 26, so plain JavaScript): tells its port, calls its functions,
 * collects garbage and writes heap snapshots when the runner asks through the IPC channel. Changes nothing else.
 */
import { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { writeHeapSnapshot } from 'node:v8';

const plainListen = Reflect.get(Server.prototype, 'listen');
Server.prototype.listen = function listenAndTell(...args) {
  this.once('listening', () => {
    const address = this.address();
    if (typeof address === 'object' && address !== null) process.send?.({ told: 'listening', port: address.port });
  });
  return Reflect.apply(plainListen, this, args);
};

let calls = 0;

const COMMANDS = {
  /** Calls an export of the program `count` times, one after the other, with a number that goes on counting. */
  async call({ name, count }) {
    const program = await import(pathToFileURL(process.argv[1]).href);
    const work = program[name] ?? program.default?.[name];
    for (let done = 0; done < count; done++) await work(calls++);
  },
  /** Finalisers, weak maps and closed sockets need turns of the loop between collections. */
  async settle({ settleMs }) {
    await delay(settleMs);
    for (let round = 0; round < 6; round++) {
      globalThis.gc();
      await delay(10);
    }
  },
  async snapshot({ file }) {
    writeHeapSnapshot(file);
  },
};

process.on('message', (command) => {
  COMMANDS[command.do](command).then(
    () => process.send({ told: 'done', id: command.id }),
    (error) => process.send({ told: 'failed', id: command.id, why: error?.stack ?? String(error) }),
  );
});

// A runner that was killed ends nobody.
process.on('disconnect', () => process.exit());
