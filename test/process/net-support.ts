/** Workers and clients for tests of the data path: plain Node processes that accept on the sockets they are sent. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { openDataPath } from '../../src/net/index.ts';
import type { DataPath, DataPathEvent, DataPathOptions, Port } from '../../src/net/index.ts';
import { closeDescriptor, openChannelPair, sendOnChannel } from '../../src/os/index.ts';
import type { Clock, Lane, ShardHolder } from '../../src/protocol/index.ts';

export const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export interface TestPath extends Disposable {
  readonly path: DataPath;
  readonly events: readonly DataPathEvent[];
}

/** A data path that is closed at the end of the block. */
export function testPath(options: Partial<DataPathOptions> = {}): TestPath {
  const events: DataPathEvent[] = [];
  const path = openDataPath({ clock, socketFolder: null, onEvent: (event) => events.push(event), ...options });
  return { path, events, [Symbol.dispose]: () => path.close() };
}

/** A free port on a loopback address. Tests that open it again must be ready for it to be taken. */
export function openTestPort(path: DataPath, { host = '127.0.0.1', v6only = false, sticky = false } = {}): Port {
  const address = { kind: 'tcp', host, port: 0, v6only } as const;
  return path.openPort({ app: 'shop', address, uid: null, sticky, declared: true });
}

export function portNumber({ address }: Port): number {
  if (address.kind !== 'tcp') throw new TypeError('not a TCP port');
  return address.port;
}

/** Something that the data path believes to accept, and does not: connections stay in the queue, where they are counted. */
export function idleHolder(slot: number, lane: Lane = 'stable'): ShardHolder {
  return {
    id: `shop/${slot}#${lane}`,
    app: 'shop',
    slot,
    lane,
    pid: null,
    serves: () => true,
    cover: () => {},
    uncover: () => {},
  };
}

const PROGRAM = `
const net = require('net');
const servers = new Map();
process.on('message', (message, handle) => {
  if (message.verb === 'accept') {
    const server = net.createServer((socket) => { socket.on('error', () => {}); socket.end(process.env.NAME); });
    servers.set(message.name, server);
    server.listen(handle, () => process.send({ done: message.name }));
  } else if (message.verb === 'stop') {
    servers.get(message.name)?.close();
    servers.delete(message.name);
    process.send({ done: 'stop ' + message.name });
  } else if (message.verb === 'stall') {
    const end = performance.now() + message.forMs;
    process.send({ done: 'stall' });
    setImmediate(() => { while (performance.now() < end); });
  }
});`;

/** A worker process that answers every connection with its name. */
export class TestWorker implements Disposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #channel: number;

  constructor(name: string) {
    this.name = name;
    const { daemonFd, workerFd } = openChannelPair();
    this.#channel = daemonFd;
    this.#process = spawn(process.execPath, ['-e', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', workerFd, 'pipe'],
      env: { ...process.env, NAME: name, NODE_CHANNEL_FD: '3' },
    });
    closeDescriptor(workerFd);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  accept(name: string, fd: number): void {
    this.#send({ cmd: 'NODE_HANDLE', type: 'net.Native', msg: { verb: 'accept', name } }, fd);
  }

  stop(name: string): void {
    this.#send({ verb: 'stop', name }, null);
  }

  stall(forMs: number): void {
    this.#send({ verb: 'stall', forMs }, null);
  }

  /** As the supervisor would tell the data path of it. */
  holder(slot: number, lane: Lane = 'stable'): ShardHolder {
    return {
      id: `shop/${slot}#${this.name}`,
      app: 'shop',
      slot,
      lane,
      pid: this.pid,
      serves: () => true,
      cover: (key, of, fd) => this.accept(`cover ${key} ${of}`, fd),
      uncover: (key, of) => this.stop(`cover ${key} ${of}`),
    };
  }

  async kill(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
    closeDescriptor(this.#channel);
  }

  #send(message: unknown, fd: number | null): void {
    const outcome = sendOnChannel(this.#channel, Buffer.from(`${JSON.stringify(message)}\n`), fd);
    if (outcome !== 'sent' && this.#process.exitCode === null && this.#process.signalCode === null) {
      throw new Error(`the worker's channel is ${outcome}`);
    }
  }
}

/** A connection that has been made, and that somebody may or may not accept. */
export async function connectTo(port: number, host = '127.0.0.1', localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) });
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

/** The name of the worker that answers. Throws where a connection is refused, reset or closed without an answer. */
export async function ask(port: number, host = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host });
  let answer = '';
  for await (const data of socket) answer += String(data);
  if (answer === '') throw new Error('no answer');
  return answer;
}

/** Waits until the question is answered with yes. */
export async function until(question: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await question())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
