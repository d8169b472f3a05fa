/**
 * What the fault campaign wishes of its apps: `BOOT_WISH` names a file that says how the next boots go, `WISH` one that
 * says what a worker does on SIGUSR2. Also the note of every connection accepted and closed (`c<port>`, `d<port>` in the
 * worker's journal), which holds for a worker that ends by itself, at a moment that nobody knows beforehand.
 */
import { fork, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const read = (name) => {
  try {
    return readFileSync(process.env[name], 'utf8').trim();
  } catch {
    return '';
  }
};

const journal = openSync(join(process.env.JOURNAL, `${process.pid}.journal`), 'a');

/** Counts the connections of a server that is about to listen. */
export function noteConnections(server) {
  server.on('connection', (socket) => {
    const port = socket.remotePort;
    writeSync(journal, `c${port}\n`);
    socket.once('close', () => writeSync(journal, `d${port}\n`));
  });
  return server;
}

/** Resolves when the worker may listen, if it ever may. */
export async function boot() {
  const wish = read('BOOT_WISH');
  console.log(`boots ${wish}`);
  if (wish === 'throw') throw new Error('as wished at boot');
  if (wish === 'hang') for (;;);
  if (wish === 'exit-0') process.exit(0);
  if (wish === 'never-listen') await new Promise(() => setInterval(() => {}, 1000));
  if (wish === 'slow') await wait(1000);
  if (wish === 'ignore-sigterm') {
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 1000);
  }
  if (wish === 'leave-children') {
    // One in the worker's own session, one in a session of its own: both outlive it.
    const program = ['-e', 'setInterval(() => {}, 1000)'];
    spawn(process.execPath, program, { stdio: 'ignore' }).unref();
    spawn(process.execPath, program, { stdio: 'ignore', detached: true }).unref();
    fork(join(import.meta.dirname, 'idles.mjs'), { stdio: 'ignore' }).unref();
  }
}

/** Does what the campaign wishes, with the server that is there, from now on. `listen` makes it listen again. */
export function obey(server, listen) {
  const acts = {
    'close-listener': () => {
      server.close(() => {});
      setTimeout(() => listen(), 200);
    },
    'take-descriptors': () => {
      const taken = [];
      try {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      } catch {
        setTimeout(() => taken.forEach((fd) => closeSync(fd)), 1500);
      }
    },
    'take-memory': () => {
      const held = [];
      for (;;) held.push(Array.from({ length: 10_000 }, (_, at) => ({ at })));
    },
    throw: () => {
      throw new Error('as wished');
    },
    'exit-0': () => process.exit(0),
    block: () => {
      const until = performance.now() + 1500;
      while (performance.now() < until);
    },
    garbage: () => sayAsAgent(Buffer.from('no message\n{"cmd":1}\n\0\xff\n{\n')),
    flood: () => sayAsAgent(Buffer.from(`${'x'.repeat(999)}\n`.repeat(4000))),
    lies: () => sayAsAgent(Buffer.from(LIES.map((message) => `${envelope(message)}\n`).join(''))),
  };
  process.on('SIGUSR2', () => acts[read('WISH')]?.());
}

const envelope = (message) => JSON.stringify({ cmd: process.env.ENVELOPE, m: message });

const LIE = Number.MAX_SAFE_INTEGER;
/** Well-formed, and not true. */
const LIES = [
  { type: 'listening', id: 4711, key: null },
  { type: 'closed', id: 4711 },
  { type: 'bound', id: 99, fd: 99, inode: 1, address: { kind: 'tcp', host: '::', port: 22, v6only: false } },
  { type: 'report', report: { seq: -1 }, replyTo: null },
  { type: 'report', report: { seq: LIE }, replyTo: LIE },
  { type: 'hello', v: 1, spawn: 'of somebody else', pid: 1, node: 'v1.0.0', phase: 'serving', servers: [] },
  { type: 'exit', code: 0, reason: 'not at all' },
  { type: 'nothing', that: 'exists' },
];

/** To the channel that the agent has to the daemon: any app can, for it is the same process. Whole, whatever it takes. */
function sayAsAgent(bytes) {
  const environment = readFileSync('/proc/self/environ', 'utf8').split('\0');
  const start = environment.find((entry) => entry.startsWith('DROVER_AGENT='));
  const channel = Number.parseInt(JSON.parse(start.slice('DROVER_AGENT='.length)).channel);
  // A line of our own first: the agent may have written half of one.
  const write = (rest) => {
    let left = rest;
    try {
      left = rest.subarray(writeSync(channel, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
    if (left.length > 0) setImmediate(write, left);
  };
  write(Buffer.concat([Buffer.from('\n'), bytes]));
}
