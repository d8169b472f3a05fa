/** What a command may touch: the caller's streams, environment and directory, and the daemon. Tests make their own. */
import { statSync } from 'node:fs';
import { styleText } from 'node:util';
import type { DroverClient } from '../client/index.ts';
import { describeDifference } from './describe-difference.ts';
import { readVersion } from './version.ts';

export type Style = Parameters<typeof styleText>[0];

export interface CliContext {
  /** Writes a line to stdout or stderr. */
  readonly print: (line: string) => void;
  readonly note: (line: string) => void;
  /** Writes to stderr as it is, for progress. */
  readonly draw: (text: string) => void;
  /** Colours text for stdout, where it is a terminal that wants colour. */
  readonly paint: (style: Style, text: string) => string;
  /** True where progress may be drawn over (stderr is a terminal). */
  readonly isInteractive: boolean;
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the caller stands, with the symbolic links that lead there. */
  readonly directory: string;
  readonly nowMs: () => number;
  /** A client that does not start anything. `isUpgrade`: the command is the one that a difference of versions asks for. */
  readonly connect: (options?: { readonly isUpgrade?: boolean }) => Promise<DroverClient>;
  /** A client of a daemon that runs; it is started if need be. */
  readonly ensure: () => Promise<DroverClient>;
  /** Aborted at the first Ctrl-C; a second one ends the process. */
  readonly interrupted: () => AbortSignal;
  /** For a command that does nothing but print, however much: with the last reader of stdout it ends, with code 0. */
  readonly endWithReader: () => void;
}

/** The context of this process. */
export const processContext = (): CliContext => {
  const { stdout, stderr, env } = process;
  const hasColor = (stream: NodeJS.WriteStream): boolean => stream.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  let interrupt: AbortController | null = null;
  const told = new Set<string>();
  const onNotice = (text: string): void => {
    if (told.has(text)) return;
    told.add(text);
    stderr.write(`drover: ${text}\n`);
  };
  const onVersion = (version: string): void => {
    const difference = describeDifference(readVersion(), version);
    if (difference !== null) onNotice(difference);
  };
  // As OpenTelemetry hands its context on by the environment.
  const shared = { onNotice, ...(env['TRACEPARENT'] ? { traceparent: env['TRACEPARENT'] } : {}) };
  return {
    print: (line) => {
      stdout.write(`${line}\n`);
    },
    note: (line) => {
      stderr.write(`${line}\n`);
    },
    draw: (text) => {
      stderr.write(text);
    },
    paint: (style, text) => (hasColor(stdout) ? styleText(style, text, { validateStream: false }) : text),
    isInteractive: stderr.isTTY && env['TERM'] !== 'dumb',
    get columns() {
      return stdout.columns || 100;
    },
    env,
    directory: findDirectory(env['PWD'], process.cwd()),
    nowMs: Date.now,
    connect: async ({ isUpgrade = false } = {}) =>
      (await import('../client/index.ts')).createClient({ ...shared, ...(isUpgrade ? {} : { onVersion }) }),
    ensure: async () => (await import('../client/index.ts')).ensureDaemon({ ...shared, onVersion }),
    interrupted: () => {
      if (interrupt === null) {
        const controller = new AbortController();
        interrupt = controller;
        process.once('SIGINT', () => {
          controller.abort();
        });
      }
      return interrupt.signal;
    },
    endWithReader: () => {
      stdout.once('error', ({ code }: NodeJS.ErrnoException) => {
        if (code === 'EPIPE') process.exit(0);
      });
    },
  };
};

/** The shell's `PWD` keeps symbolic links (`/srv/shop/current`) that the system's answer has resolved. */
const findDirectory = (pwd: string | undefined, cwd: string): string => {
  if (pwd === undefined || pwd === cwd || !pwd.startsWith('/')) return cwd;
  const [named, real] = [pwd, cwd].map((path) => statSync(path, { throwIfNoEntry: false }));
  return named?.ino === real?.ino && named?.dev === real?.dev ? pwd : cwd;
};
