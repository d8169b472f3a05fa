/**
 * Runs one program of the corpus in a process of its own and takes three heap snapshots: after a warm-up, after a load,
 * after the same load again, garbage collected before each. What the program prints is shown only when it fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Load } from './load.ts';
import type { Program } from './manifest.ts';

const INSIDE = join(import.meta.dirname, 'inside.mjs');
const BOUND_MS = 60_000;
const SETTLE_MS = 60;

export interface Captured {
  /** Three files: before, after one load, after two. */
  readonly files: readonly string[];
  readonly elapsedMs: number;
  readonly bytes: number;
}

/** Names of the three files of a program, whether they are there or not. */
export const snapshotFiles = (folder: string, name: string): string[] =>
  ['a', 'b', 'c'].map((letter) => join(folder, `${name}.${letter}.heapsnapshot`));

/** Captures into `folder`; files of an earlier capture are replaced. Throws with the program's own words when it fails. */
export async function capture(program: Program, folder: string, node: string = process.execPath): Promise<Captured> {
  const startedAt = performance.now();
  mkdirSync(folder, { recursive: true });
  const files = snapshotFiles(folder, program.name);
  for (const file of files) rmSync(file, { force: true });
  const run = new ProgramRun(program, node);
  try {
    await run.work(program.load.warmUp);
    for (const [index, file] of files.entries()) {
      if (index > 0) await run.work(program.load.each);
      await run.tell({ do: 'settle', settleMs: program.load.settleMs ?? SETTLE_MS });
      await run.tell({ do: 'snapshot', file });
      if (!existsSync(file)) throw new Error(`${program.name} wrote no snapshot`);
    }
  } finally {
    await run.end();
  }
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return { files, elapsedMs: performance.now() - startedAt, bytes };
}

interface Told {
  readonly told: 'listening' | 'done' | 'failed';
  readonly port?: number;
  readonly id?: number;
  readonly why?: string;
}

class ProgramRun {
  readonly #program: Program;
  readonly #child: ChildProcess;
  readonly #gone: Promise<never>;
  readonly #port: Promise<number>;
  #load: Load | undefined;
  #output = '';
  #ids = 0;

  constructor(program: Program, node: string) {
    this.#program = program;
    this.#child = spawn(
      node,
      ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', INSIDE, join(program.folder, program.entry)],
      {
        cwd: program.folder,
        env: { ...process.env, PORT: '0', NODE_ENV: 'production', NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-4000);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#gone = once(this.#child, 'exit').then(([code, signal]: unknown[]) => {
      throw new Error(`${program.name} ended early (${String(code ?? signal)}):\n${this.#output}`);
    });
    this.#gone.catch(() => undefined);
    this.#port = this.#hear((message) => message.told === 'listening').then(({ port = 0 }) => port);
    this.#port.catch(() => undefined);
  }

  /** `count` rounds of the program's load. */
  async work(count: number): Promise<void> {
    const { load } = this.#program;
    if (load.calls !== undefined) return this.tell({ do: 'call', name: load.calls, count });
    this.#load ??= new Load(await this.#port, load);
    await Promise.race([this.#load.send(count), this.#gone]);
  }

  async tell(command: Readonly<Record<string, unknown>>): Promise<void> {
    const id = this.#ids++;
    const answer = this.#hear((message) => message.id === id);
    this.#child.send({ ...command, id });
    const { told, why } = await answer;
    if (told === 'failed') throw new Error(`${this.#program.name}: ${why}\n${this.#output}`);
  }

  async end(): Promise<void> {
    this.#load?.close();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  #hear(isIt: (message: Told) => boolean): Promise<Told> {
    const heard = new Promise<Told>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#child.off('message', listen);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${this.#program.name} did not answer in ${BOUND_MS / 1000} s:\n${this.#output}`));
      }, BOUND_MS);
      const listen = (message: unknown): void => {
        if (!isIt(message as Told)) return;
        stop();
        resolve(message as Told);
      };
      this.#child.on('message', listen);
    });
    return Promise.race([heard, this.#gone]);
  }
}
