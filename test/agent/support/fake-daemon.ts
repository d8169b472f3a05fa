/**
 * As much of a daemon as the agent can tell from a real one: spawns real workers with a channel and shards, writes down
 * what their agents say, and says what a test wants said. It decides nothing, except that reports are acknowledged.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, Socket, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  ChannelWriter,
  closeDescriptor,
  inodeOf,
  listenSocket,
  openChannelPair,
  unixListenSocket,
} from '../../../src/os/index.ts';
import type {
  AgentBoot,
  AgentMessage,
  AgentReport,
  BootShard,
  DaemonMessage,
  DescriptorName,
  Envelope,
  ListenAddress,
} from '../../../src/protocol/index.ts';
import { AGENT_FILE, bundleAgent } from '../../../scripts/bundle-agent.ts';
import { eventually, PATIENCE_MS } from '../../support/eventually.ts';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary.ts';

type Message<Type extends AgentMessage['type']> = Extract<AgentMessage, { type: Type }>;

export interface Shard {
  readonly key: string;
  readonly address: ListenAddress;
  readonly randomIndex: number | null;
  readonly fd: number;
  readonly privateFd: number;
  readonly privatePath: string;
}

export interface WorkerOptions {
  /** The program: a file, or the words after `node`. */
  readonly app: string | readonly string[];
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly shards?: readonly Shard[];
  readonly acceptAtOnce?: boolean;
  readonly reportEveryMs?: number;
  readonly boot?: Partial<AgentBoot>;
  /** Start this command instead of Node, with the agent in `NODE_OPTIONS`: what happens behind `npm start`. */
  readonly wrapper?: readonly [string, ...string[]];
  /** Descriptors of files that it prints to, as real workers do; by default its lines are kept in `output`. */
  readonly files?: { readonly stdout: number; readonly stderr: number };
}

let bundled: Promise<void> | null = null;

/** Builds the agent, once for each test file. */
export async function openFakeDaemon(): Promise<FakeDaemon> {
  await (bundled ??= bundleAgent());
  return new FakeDaemon(await temporaryFolder('agent'));
}

export class FakeDaemon implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #workers: FakeWorker[] = [];
  readonly #shards: Shard[] = [];
  #shardCount = 0;

  constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  get folder(): string {
    return this.#folder.path;
  }

  shard(address: ListenAddress, randomIndex: number | null = null): Shard {
    const privatePath = join(this.folder, `p${this.#shardCount++}`);
    const shard = {
      key: `key-${this.#shardCount}`,
      address,
      randomIndex,
      fd: address.kind === 'unix' ? unixListenSocket(address.path) : listenSocket({ ...address, reusePort: true }),
      privateFd: unixListenSocket(privatePath),
      privatePath,
    };
    this.#shards.push(shard);
    return shard;
  }

  async start(options: WorkerOptions): Promise<FakeWorker> {
    const worker = new FakeWorker(options, join(this.folder, `s${this.#workers.length}`));
    this.#workers.push(worker);
    await worker.opened;
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) await worker.close();
    for (const { fd, privateFd } of this.#shards) {
      closeDescriptor(fd);
      closeDescriptor(privateFd);
    }
    await this.#folder[Symbol.asyncDispose]();
  }
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export class FakeWorker {
  readonly child: ChildProcess;
  readonly messages: AgentMessage[] = [];
  readonly exited: Promise<WorkerExit>;
  /** Everything that the app printed, a line an entry. */
  readonly output: string[] = [];
  readonly opened: Promise<void>;
  readonly #writer: ChannelWriter;
  readonly #reader: Socket;
  readonly #server: Server;
  #socket: Socket | null = null;
  #socketWriter: ChannelWriter | null = null;
  #acknowledges = true;
  #reads = true;

  constructor(options: WorkerOptions, socketPath: string) {
    const { daemonFd, workerFd } = openChannelPair();
    const shards = options.shards ?? [];
    const passed = [workerFd, daemonFd, ...shards.flatMap(({ fd, privateFd }) => [fd, privateFd])];
    const boot: AgentBoot = {
      v: 1,
      app: 'test',
      worker: 'test/0',
      spawn: randomUUID(),
      generation: 1,
      channel: nameAt(3, workerFd),
      peer: nameAt(4, daemonFd),
      socketPath,
      shards: shards.map((shard, index) => bootShard(shard, 5 + 2 * index)),
      acceptAtOnce: options.acceptAtOnce ?? true,
      reportEveryMs: options.reportEveryMs ?? 100,
      wrapped: false,
      ...options.boot,
    };
    const words = typeof options.app === 'string' ? [options.app] : options.app;
    const [command, ...args] = options.wrapper ?? [options.node ?? process.execPath, '--require', AGENT_FILE, ...words];
    this.child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', options.files?.stdout ?? 'pipe', options.files?.stderr ?? 'pipe', ...passed],
      env: {
        PATH: process.env['PATH'],
        ...(options.wrapper === undefined ? {} : { NODE_OPTIONS: `--require ${AGENT_FILE}` }),
        ...options.env,
        DROVER_AGENT: JSON.stringify(boot),
      },
    });
    closeDescriptor(workerFd);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.output.push(line));
    }
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.#writer = new ChannelWriter(daemonFd);
    this.#reader = new Socket({ fd: daemonFd, readable: true, writable: false });
    this.#writer.closeBefore(this.#reader);
    // The end of a worker with something unread reads as a reset.
    this.#reader.on('error', () => this.#reader.destroy());
    onLines(this.#reader, (line) => this.#receive(line));
    this.#server = createServer((socket) => {
      // As the real daemon does: an agent that has only waited for long, because this process was busy, stays on its channel.
      if (boot.channel !== null && this.#reads && this.#acknowledges) {
        socket.destroy();
        return;
      }
      this.#socket = socket;
      this.#socketWriter = new ChannelWriter(
        (socket as Socket & { readonly _handle: { readonly fd: number } })._handle.fd,
      );
      this.#socketWriter.closeBefore(socket);
      socket.on('error', () => socket.destroy());
      onLines(socket, (line) => this.#receive(line));
    });
    this.opened = new Promise((resolve) => this.#server.listen(socketPath, resolve));
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get lastReport(): AgentReport | undefined {
    const last = this.messages.findLast((message) => 'report' in message);
    return last !== undefined && 'report' in last ? last.report : undefined;
  }

  /** Waits until the worker has said something of this type that fits. */
  async said<Type extends AgentMessage['type']>(
    type: Type,
    fits: (message: Message<Type>) => boolean = () => true,
    withinMs = PATIENCE_MS,
  ): Promise<Message<Type>> {
    const what = `a message '${type}' (output: ${this.output.join(' | ')})`;
    const isIt = (message: AgentMessage): message is Message<Type> =>
      message.type === type && fits(message as Message<Type>);
    return eventually(what, () => this.messages.find(isIt), { withinMs });
  }

  async printed(text: string): Promise<string> {
    return eventually(`the line '${text}' in ${JSON.stringify(this.output)}`, () =>
      this.output.find((line) => line.includes(text)),
    );
  }

  send(message: DaemonMessage, descriptor: number | null = null): void {
    const envelope = { cmd: 'NODE_DROVER', m: message };
    const line = descriptor === null ? envelope : { cmd: 'NODE_HANDLE', type: 'net.Native', msg: envelope };
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    (this.#socketWriter ?? this.#writer).send(bytes, descriptor);
  }

  /** Answers a `listen` with a shard, as the daemon does. */
  grant(id: number, shard: Shard): void {
    const { key, address } = shard;
    this.send({ type: 'grant', id, key, address, hasPrivate: true });
    this.send({ type: 'descriptor', role: 'shard', key, slot: 0 }, shard.fd);
    this.send({ type: 'descriptor', role: 'private', key, slot: 0 }, shard.privateFd);
  }

  async drain(options: Partial<Extract<DaemonMessage, { type: 'drain' }>> = {}): Promise<void> {
    this.send({
      type: 'drain',
      timeoutMs: 10_000,
      idleGraceMs: 100,
      websocketCode: 1012,
      websocketSpreadMs: 500,
      thenExit: true,
      ...options,
    });
    await this.said('draining');
  }

  /** While false, no report is acknowledged, as behind a daemon that is away. */
  set acknowledges(value: boolean) {
    this.#acknowledges = value;
  }

  /** While false, nothing that comes over the channel is read. */
  set reads(value: boolean) {
    this.#reads = value;
    if (value) this.#reader.resume();
    else this.#reader.pause();
  }

  async close(): Promise<void> {
    // The whole group, because a wrapper's end leaves its children behind.
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.pid, 'SIGKILL');
    await this.exited;
    this.#socket?.destroy();
    this.#server.close();
    // The reader owns the daemon's end.
    this.#reader.destroy();
  }

  #receive(line: string): void {
    const { cmd, m } = JSON.parse(line) as Envelope<AgentMessage>;
    if (cmd !== 'NODE_DROVER') return;
    this.messages.push(m);
    if (m.type === 'report' && this.#acknowledges) this.send({ type: 'ack', seq: m.report.seq });
  }
}

function nameAt(number: number, fd: number): DescriptorName {
  return `${number}:${inodeOf(fd)}`;
}

function bootShard({ key, address, randomIndex, fd, privateFd }: Shard, number: number): BootShard {
  return { key, address, randomIndex, shard: nameAt(number, fd), private: nameAt(number + 1, privateFd) };
}

/** Not `readline`, which would throw the stream's errors. */
function onLines(stream: Socket, onLine: (line: string) => void): void {
  let rest = '';
  // A process that ends while we write to its other pipes may reset this one: its end is seen elsewhere.
  stream.on('error', () => {});
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
