/** The CLI in this process, against a fake daemon on a real Unix socket. */
import { join } from 'node:path';
import { type ApiServer, serveApi } from '../../src/api/index.ts';
import { runCli } from '../../src/cli/index.ts';
import type { CliContext } from '../../src/cli/index.ts';
import { createClient } from '../../src/client/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { FakeService } from './fake-service.ts';

export interface Harness extends AsyncDisposable {
  readonly service: FakeService;
  readonly socketPath: string;
  /** The caller's directory. */
  readonly directory: string;
  readonly defects: unknown[];
  /** Runs a command line. */
  readonly drover: (...words: string[]) => Promise<Outcome>;
  readonly server: ApiServer;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const openHarness = async ({ isDaemonThere = true } = {}): Promise<Harness> => {
  const folder = await temporaryFolder('drover-cli');
  const socketPath = join(folder.path, 'drover.sock');
  const service = new FakeService();
  const defects: unknown[] = [];
  const server = await serveApi({ service, socketPath, onDefect: (error) => defects.push(error) });
  if (!isDaemonThere) await server.close();
  const drover = async (...words: string[]): Promise<Outcome> => {
    const out: string[] = [];
    const err: string[] = [];
    const client = createClient({ socketPath });
    const context: CliContext = {
      print: (line) => out.push(line),
      note: (line) => err.push(line),
      draw: () => {},
      paint: (_style, text) => text,
      isInteractive: false,
      columns: 100,
      env: { PATH: process.env['PATH'], HOME: folder.path, MARK: 'caller' },
      directory: folder.path,
      nowMs: () => Date.parse('2026-11-25T12:00:00Z'),
      connect: async () => client,
      ensure: async () => client,
      interrupted: () => new AbortController().signal,
      endWithReader: () => {},
    };
    const code = await runCli(words, context);
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  return {
    service,
    socketPath,
    directory: folder.path,
    defects,
    drover,
    server,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
};
