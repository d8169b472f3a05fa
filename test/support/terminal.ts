/**
 * A real terminal for one command: `script` (of Debian's bsdutils) gives it a pseudo-terminal, and a terminal emulator without a
 * window shows what is on its screen. What the command leaves of the terminal's settings is written down by the shell around it.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { COMMAND, type Drover } from './drover.ts';
import { eventually } from './eventually.ts';

/** As far as it is used here; the package of these tests has it (`test/screens`). */
interface Emulator {
  readonly buffer: {
    readonly active: {
      readonly type: 'normal' | 'alternate';
      readonly baseY: number;
      getLine(y: number): { translateToString(trimRight: boolean, from: number, to: number): string } | undefined;
    };
  };
  readonly rows: number;
  readonly cols: number;
  write(data: Uint8Array | string, done?: () => void): void;
  resize(columns: number, rows: number): void;
}

const load = createRequire(join(import.meta.dirname, '..', 'screens', 'package.json'));

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Ending {
  readonly code: number;
  /** The settings of the terminal (`stty -g`) before and after. */
  readonly before: string;
  readonly after: string;
}

export class Terminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #emulator: Emulator;
  readonly #ended: Promise<unknown>;
  #written = '';

  constructor(drover: Drover, words: readonly string[], { columns, rows }: Size) {
    this.#folder = mkdtempSync(join(tmpdir(), 'drover-terminal-'));
    const { Terminal: Class } = load('@xterm/headless') as { readonly Terminal: new (options: object) => Emulator };
    this.#emulator = new Class({ cols: columns, rows, allowProposedApi: true });
    const quoted = [process.execPath, COMMAND, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    // With job control, as in a shell that somebody types into; bash, because dash has none in a script.
    const lines = [
      'set -m',
      `stty rows ${rows} cols ${columns}`,
      'tty > tty',
      'stty -g > before',
      'echo shell',
      `sh -c 'echo $$ > pid; exec "$@"' sh ${quoted}`,
      'code=$?',
      'while [ $code -gt 128 ] && [ "$(jobs)" != "" ]; do stty -g > stopped; read go; fg; code=$?; done',
      'stty -g > after',
      'echo $code > code',
      'echo done',
    ];
    this.#child = spawn('script', ['-qfe', '-c', lines.join('\n'), '/dev/null'], {
      cwd: this.#folder,
      env: { ...drover.environment(), TERM: 'xterm-256color', SHELL: '/bin/bash' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'close');
    this.#child.stdout.on('data', (data: Buffer) => {
      this.#written += data.toString('utf8');
      this.#emulator.write(data);
    });
  }

  /** What is on the screen, a line a row. */
  get lines(): readonly string[] {
    const { active } = this.#emulator.buffer;
    return Array.from(
      { length: this.#emulator.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true, 0, this.#emulator.cols) ?? '',
    );
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** Whether the screen is the one that programs have for themselves. */
  get isAlternate(): boolean {
    return this.#emulator.buffer.active.type === 'alternate';
  }

  get isCursorShown(): boolean {
    return this.#written.lastIndexOf('\u001B[?25h') >= this.#written.lastIndexOf('\u001B[?25l');
  }

  get isWrapping(): boolean {
    return this.#written.lastIndexOf('\u001B[?7h') >= this.#written.lastIndexOf('\u001B[?7l');
  }

  /** The process of the command. */
  get pid(): number {
    return Number(this.#read('pid'));
  }

  /** Settings of the terminal while the command is stopped; null: it has not been yet. */
  get stopped(): string | null {
    return existsSync(join(this.#folder, 'stopped')) ? this.#read('stopped') : null;
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8').trim();
  }

  press(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** As the window of a terminal does it: the command hears SIGWINCH. */
  resize({ columns, rows }: Size): void {
    this.#emulator.resize(columns, rows);
    execFileSync('stty', ['-F', this.#read('tty'), 'rows', String(rows), 'cols', String(columns)]);
  }

  async until(what: string, holds: (text: string) => boolean, { withinMs = 15_000 } = {}): Promise<void> {
    try {
      await eventually(`the screen shows ${what}`, () => holds(this.text), { withinMs });
    } catch (error) {
      throw new Error(`the screen never showed ${what}:\n${this.text}`, { cause: error });
    }
  }

  /** Resolves when the command has ended. */
  async ended(): Promise<Ending> {
    await eventually(`the command ends:\n${this.text}`, () => existsSync(join(this.#folder, 'code')));
    await this.#ended;
    return { code: Number(this.#read('code')), before: this.#read('before'), after: this.#read('after') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      if (existsSync(join(this.#folder, 'pid')) && !existsSync(join(this.#folder, 'code'))) {
        try {
          process.kill(this.pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
      this.#child.kill('SIGKILL');
      await this.#ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
