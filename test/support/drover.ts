/**
 * Drover as its users have it: the command in `bin/`, with a home of its own that is gone afterwards. Speaks only what
 * CONTRACT.md fixes, so that tests written on it test the public interface.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type {
  AppDocument,
  AppListDocument,
  DaemonDocument,
  ErrorDocument,
  ReceiptDocument,
} from '../../src/protocol/index.ts';
import { eventually } from './eventually.ts';
import { listProcesses, readEnvironment, readUnlessGone } from './processes.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary.ts';

export const COMMAND = join(import.meta.dirname, '..', '..', 'bin', 'drover');
const COMMAND_TIMEOUT_MS = 120_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** A command that ended with another exit code than the test expected. */
export class CommandFailed extends Error {
  readonly result: CommandResult;

  constructor(args: readonly string[], result: CommandResult) {
    super(`drover ${args.join(' ')} ended with ${result.code}\n${result.stdout}${result.stderr}`);
    this.result = result;
  }
}

export async function openDrover(): Promise<Drover> {
  return new Drover(await temporaryFolder());
}

export class Drover implements AsyncDisposable {
  readonly home: string;
  readonly #folder: TemporaryFolder;

  constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.home = folder.path;
  }

  /** Runs a command to its end, whatever that is. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      execFile(
        process.execPath,
        [COMMAND, ...args],
        {
          env: this.environment(options.env),
          cwd: options.cwd ?? this.home,
          timeout: options.timeoutMs ?? COMMAND_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== 'number') return reject(error);
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
    });
  }

  /** Runs a command that must succeed and returns its JSON document. */
  async json<Document>(args: readonly string[], options: RunOptions = {}): Promise<Document> {
    const dashes = args.indexOf('--');
    const withJson = dashes === -1 ? [...args, '--json'] : [...args.slice(0, dashes), '--json', ...args.slice(dashes)];
    const result = await this.run(withJson, options);
    if (result.code !== 0) throw new CommandFailed(args, result);
    return JSON.parse(result.stdout) as Document;
  }

  /** Runs a command that must fail with `code`, and returns its error document. */
  async refusal(code: number, args: readonly string[], options: RunOptions = {}): Promise<ErrorDocument['error']> {
    const result = await this.run([...args, '--json'], options);
    if (result.code !== code) throw new CommandFailed(args, result);
    return (JSON.parse(result.stdout) as ErrorDocument).error;
  }

  /** Starts a bare script or program and returns once it is up. */
  async start(words: readonly string[], options: RunOptions = {}): Promise<void> {
    const result = await this.run(['start', ...words], options);
    if (result.code !== 0) throw new CommandFailed(['start', ...words], result);
  }

  async reload(app: string, options: RunOptions = {}): Promise<ReceiptDocument> {
    return this.json<ReceiptDocument>(['reload', app], options);
  }

  async delete(app: string): Promise<void> {
    const result = await this.run(['delete', app]);
    if (result.code !== 0) throw new CommandFailed(['delete', app], result);
  }

  async list(): Promise<readonly AppDocument[]> {
    return (await this.json<AppListDocument>(['ls'])).apps;
  }

  async app(name: string): Promise<AppDocument> {
    const app = (await this.list()).find((one) => one.name === name);
    if (app === undefined) throw new Error(`no app called ${name}`);
    return app;
  }

  async pids(name: string): Promise<number[]> {
    return (await this.app(name)).workers.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }

  async daemon(): Promise<DaemonDocument> {
    return this.json<DaemonDocument>(['daemon', 'status']);
  }

  /** Kills the daemon as `kill -9` does, and resolves when another one answers. */
  async killDaemon({ withinMs = 15_000 } = {}): Promise<DaemonDocument> {
    const { pid } = await this.daemon();
    if (pid === null) throw new Error('no daemon is running');
    process.kill(pid, 'SIGKILL');
    return eventually(
      'another daemon answers',
      async () => {
        const status = await this.daemon();
        return status.running && status.pid !== pid && status;
      },
      { withinMs },
    );
  }

  /** Resolves when the app has `count` ready workers. */
  async untilReady(name: string, count: number, { withinMs = 30_000 } = {}): Promise<AppDocument> {
    return eventually(
      `${name} has ${count} ready workers`,
      async () => {
        const app = await this.app(name);
        return app.workers.filter(({ status }) => status === 'ready').length === count && app;
      },
      { withinMs, everyMs: 100 },
    );
  }

  /** A command that stays, such as `run` or `logs -f`; the caller ends it. */
  spawn(args: readonly string[], options: RunOptions = {}): ReturnType<typeof spawn> {
    return spawn(process.execPath, [COMMAND, ...args], {
      env: this.environment(options.env),
      cwd: options.cwd ?? this.home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  environment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
    // The apps run on the Node that runs the tests, whatever else the machine has.
    const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
    const env = { ...process.env, PATH: path, ...more, DROVER_HOME: this.home, NO_COLOR: '1' };
    // What the test runner tells its own children is not for the apps.
    const { NODE_TEST_CONTEXT: _, ...clean }: Record<string, string | undefined> = env;
    return clean;
  }

  /** Stops the daemon and its workers, and makes sure that nothing of this home is left running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(['daemon', 'stop'], { timeoutMs: 30_000 });
    for (const pid of this.#listLeftovers()) readUnlessGone(() => process.kill(pid, 'SIGKILL'), false);
    await eventually('all processes of this home are gone', () => this.#listLeftovers().length === 0);
    await this.#folder[Symbol.asyncDispose]();
  }

  /** Processes whose environment names this home: the daemon, its guard, and workers (their agent is told where). */
  #listLeftovers(): number[] {
    if (!existsSync('/proc/self/environ')) return [];
    return listProcesses().filter((pid) => pid !== process.pid && readEnvironment(pid).includes(this.home));
  }
}
