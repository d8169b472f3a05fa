/**
 * A service manager for tests: starts a daemon as systemd does (notify socket, watchdog, names), keeps the descriptors
 * that it stores, and starts it again with them when it dies. Does what systemd's rules say (sd_notify(3),
 * sd_listen_fds(3)): only the main process is heard, a descriptor that is stored already is not stored twice, names
 * without colons.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Datagram, receiveDatagrams } from './datagrams.ts';
import type { Drover } from './drover.ts';
import { eventually } from './eventually.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'daemon', 'main.ts');
/** The pid is only known in the process itself. */
const SHELL = 'export LISTEN_PID=$$ WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$; exec "$@"';

export interface Told {
  readonly pid: number;
  readonly fields: Readonly<Record<string, string>>;
}

export interface ServiceManagerOptions {
  /** Default: a file in the home. `@name` is an abstract address. */
  readonly address?: string;
  /** A daemon that is silent for longer after it was ready is killed. */
  readonly watchdogMs?: number;
  readonly hasStore?: boolean;
  /** The name of the unit. */
  readonly unit?: string;
  /** What it starts; default: the daemon, from its source. */
  readonly main?: string;
}

export class ServiceManager implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly starts: number[] = [];
  readonly exits: (number | string | null)[] = [];
  readonly #drover: Drover;
  readonly #options: ServiceManagerOptions;
  readonly #address: string;
  readonly #receiver: Disposable;
  #store: { readonly name: string; readonly fd: number; readonly identity: string }[] = [];
  #main: ChildProcess | null = null;
  #isEnding = false;
  #isHolding = false;
  #isOwed = false;
  #watchdog: NodeJS.Timeout | null = null;

  constructor(drover: Drover, options: ServiceManagerOptions = {}) {
    this.#drover = drover;
    this.#options = options;
    this.#address = options.address ?? join(drover.home, 'notify');
    this.#receiver = receiveDatagrams(this.#address, (datagram) => this.#hear(datagram));
  }

  get storedNames(): string[] {
    return this.#store.map(({ name }) => name);
  }

  get mainPid(): number | null {
    return this.#main?.pid ?? null;
  }

  /** Values of one field in the order they came. */
  valuesOf(field: string): string[] {
    return this.told.flatMap(({ fields }) => fields[field] ?? []);
  }

  /** Starts the daemon, whatever comes of it. */
  launch(): void {
    this.#spawn();
  }

  /** Starts the daemon and resolves once it said that it is ready. */
  async start(): Promise<void> {
    this.#spawn();
    const pid = this.mainPid;
    await this.untilTold('READY', (told) => told.pid === pid);
  }

  async untilTold(field: string, holds: (told: Told) => boolean = () => true, withinMs = 20_000): Promise<Told> {
    return eventually(
      `${field} is told`,
      () => this.told.find((told) => told.fields[field] !== undefined && holds(told)),
      { withinMs, everyMs: 2 },
    );
  }

  /** Kills the daemon and resolves with the pid of the next one once that is ready. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    const before = this.starts.length;
    this.#main?.kill(signal);
    await eventually('another daemon was started', () => this.starts.length > before, { withinMs: 60_000 });
    const pid = this.starts.at(-1) ?? 0;
    await this.untilTold('READY', (told) => told.pid === pid);
    return pid;
  }

  /** Lets a daemon that dies stay dead until {@link release}. */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    if (this.#isOwed) this.#spawn();
    this.#isOwed = false;
  }

  /** Sends a signal to the daemon and resolves when it has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const exits = this.exits.length;
    this.#main?.kill(signal);
    await eventually('the daemon has ended', () => this.exits.length > exits, { withinMs: 60_000 });
  }

  /** As `systemctl stop`: a signal, then patience, and nobody is started again. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    if (this.#watchdog !== null) clearTimeout(this.#watchdog);
    if (this.#main === null) return;
    const main = this.#main;
    const ended = once(main, 'exit');
    main.kill('SIGTERM');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#receiver[Symbol.dispose]();
    for (const { fd } of this.#store) closeSync(fd);
    this.#store = [];
  }

  #spawn(): void {
    const log = openSync(join(this.#drover.home, 'daemon.log'), 'a');
    const kept = [...this.#store];
    const { watchdogMs } = this.#options;
    const env = {
      ...this.#drover.environment(),
      NOTIFY_SOCKET: this.#address,
      DROVER_UNIT: this.#options.unit ?? 'drover-test.service',
      ...(watchdogMs === undefined ? {} : { WATCHDOG_USEC: String(watchdogMs * 1000) }),
      ...(kept.length === 0
        ? {}
        : { LISTEN_FDS: String(kept.length), LISTEN_FDNAMES: kept.map(({ name }) => name).join(':') }),
    };
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', this.#options.main ?? MAIN];
    const main = spawn('/bin/sh', ['-c', SHELL, 'sh', ...command], {
      env,
      cwd: this.#drover.home,
      detached: true,
      stdio: ['ignore', log, log, ...kept.map(({ fd }) => fd)],
    });
    closeSync(log);
    this.#main = main;
    this.starts.push(main.pid ?? 0);
    main.once('exit', (code, signal) => {
      this.exits.push(signal ?? code);
      this.#main = null;
      if (this.#watchdog !== null) clearTimeout(this.#watchdog);
      // RestartPreventExitStatus=0.
      if (this.#isEnding || code === 0) return;
      if (this.#isHolding) this.#isOwed = true;
      else this.#spawn();
    });
  }

  #hear({ text, descriptors, pid }: Datagram): void {
    const fields = Object.fromEntries(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    this.told.push({ pid, fields });
    if (pid === this.mainPid && (fields['READY'] ?? fields['WATCHDOG']) === '1') this.#watch();
    const name = fields['FDNAME'] ?? 'stored';
    if (this.#options.hasStore === false || fields['FDSTORE'] !== '1') {
      for (const fd of descriptors) closeSync(fd);
    } else for (const fd of descriptors) this.#keep(name, fd);
    if (fields['FDSTOREREMOVE'] === '1') {
      for (const each of this.#store) if (each.name === name) closeSync(each.fd);
      this.#store = this.#store.filter((each) => each.name !== name);
    }
  }

  #watch(): void {
    const { watchdogMs } = this.#options;
    if (this.#watchdog !== null) clearTimeout(this.#watchdog);
    const main = this.#main;
    if (watchdogMs !== undefined) this.#watchdog = setTimeout(() => main?.kill('SIGKILL'), watchdogMs);
  }

  #keep(name: string, fd: number): void {
    if (name.length > 255 || !/^[\x20-\x7E]*$/.test(name) || name.includes(':')) throw new Error(`FDNAME ${name}`);
    const { dev, ino } = fstatSync(fd);
    const identity = `${dev}:${ino}`;
    if (this.#store.some((each) => each.identity === identity)) closeSync(fd);
    else this.#store.push({ name, fd, identity });
  }
}
