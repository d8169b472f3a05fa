/** A program of `test/app/servers`, in a process of its own: what it prints, what it answers, how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../../support/eventually.ts';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const SERVERS = join(ROOT, 'test', 'app', 'servers');

/** The programs import `drover/app` as apps do: by the package's name, as it was built. */
export function linkPackage(): void {
  if (!existsSync(join(ROOT, 'dist', 'app', 'index.cjs'))) throw new Error('drover/app was not built: npm run build');
  const link = join(SERVERS, 'node_modules', 'drover');
  // Left by a run in another place, it would lead there.
  rmSync(link, { force: true });
  symlinkSync(ROOT, link);
}

export interface ProgramOptions {
  readonly node?: string;
  readonly nodeArgs?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface AgentWord {
  readonly word: string;
  readonly value: unknown;
}

export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly words: AgentWord[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(file: string, { node = process.execPath, nodeArgs = [], args = [], env = {} }: ProgramOptions = {}) {
    // The outer runner tells its children to report in its own format.
    const { NODE_TEST_CONTEXT: _outer, NODE_OPTIONS: _options, ...own } = process.env;
    this.child = spawn(node, [...nodeArgs, join(SERVERS, file), ...args], {
      cwd: SERVERS,
      env: { ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    }
    this.child.on('message', (word) => this.words.push(word as AgentWord));
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** The first line that holds `text`, once it is there. */
  async printed(text: string): Promise<string> {
    return eventually(`the line '${text}' in ${JSON.stringify(this.lines)}`, () =>
      this.lines.find((line) => line.includes(text)),
    );
  }

  /** What it prints first as JSON: its ports. */
  async ports(): Promise<Record<string, number>> {
    return JSON.parse(await this.printed('{"')) as Record<string, number>;
  }

  async said(word: string, fits: (value: unknown) => boolean = () => true): Promise<unknown> {
    const what = `the word ${word} in ${JSON.stringify(this.words)}`;
    const found = await eventually(what, () => this.words.find((one) => one.word === word && fits(one.value)));
    return found.value;
  }

  /** Asks the app's side of the meeting, and waits for its answer. */
  async ask(word: string, argument: unknown = null): Promise<unknown> {
    const before = this.words.length;
    this.child.send({ ask: word, argument });
    const what = `an answer to ${word}`;
    const found = await eventually(what, () => this.words.slice(before).find((one) => one.word === word));
    return found.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }
}

export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly cache: string | null;
  readonly text: string;
}

/** One request on a connection of its own. */
export async function ask(port: number, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers: { connection: 'close', ...(init.headers as Record<string, string> | undefined) },
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    cache: response.headers.get('cache-control'),
    text: await response.text(),
  };
}
