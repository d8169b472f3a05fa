/**
 * A service under Drover in a test: its configuration file, what its port answers, and what the daemon knows about it
 * (asked over the socket, which is cheaper than a command each time).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { dirname, join } from 'node:path';
import type {
  AppDocument,
  AppListDocument,
  EventDocument,
  EventType,
  ReceiptDocument,
  WhyDocument,
  WorkerDocument,
} from '../../src/protocol/index.ts';
import { type CommandResult, CommandFailed, type Drover, openDrover, type RunOptions } from './drover.ts';
import { eventually } from './eventually.ts';
import { freePort } from './temporary.ts';

/** The path of a tiny app in `test/fixtures/apps`. */
export const fixture = (name: string): string => join(import.meta.dirname, '..', 'fixtures', 'apps', name);

/** Settings as in a configuration file. Tests do not wait as long as a service in production does. */
export type Settings = Readonly<Record<string, unknown>>;
const QUICK: Settings = { ready: { stableFor: '100ms' }, drain: { idleGrace: '100ms' } };

/** A daemon with a home of its own, and a port that nobody else uses. */
export interface Place extends AsyncDisposable {
  readonly drover: Drover;
  readonly port: number;
}

export async function openPlace(): Promise<Place> {
  const drover = await openDrover();
  return { drover, port: await freePort(), [Symbol.asyncDispose]: async () => drover[Symbol.asyncDispose]() };
}

/** Writes a configuration file (with short waits where none are given) and returns its path. */
export function writeConfig(
  drover: Pick<Drover, 'home'>,
  apps: Readonly<Record<string, Settings>>,
  name = 'config',
): string {
  const file = join(drover.home, name, 'drover.config.json');
  mkdirSync(dirname(file), { recursive: true });
  const complete = Object.entries(apps).map(([app, settings]) => [
    app,
    {
      ...QUICK,
      ...settings,
      ready: { ...(QUICK['ready'] as Settings), ...(settings['ready'] as Settings | undefined) },
    },
  ]);
  writeFileSync(file, JSON.stringify({ apps: Object.fromEntries(complete) }));
  return file;
}

/** Writes the configuration of one app and starts it; it must come up. */
export async function startApp(
  drover: Drover,
  name: string,
  settings: Settings,
  options: RunOptions = {},
): Promise<string> {
  const file = writeConfig(drover, { [name]: settings }, name);
  await drover.start([file], options);
  return file;
}

/** For loads over kept-alive connections: a busy machine may let one of them be idle for longer than the short wait. */
export const PATIENT: Settings = { drain: { idleGrace: '2s' } };

/** For ports that are not declared: an app that did not listen within `stableFor` counts as one that never does. */
export const UNDECLARED: Settings = { ready: { stableFor: '1s' } };

/** The settings of `service.cjs` on a port. */
export const service = (port: number, more: Settings = {}): Settings => ({
  script: fixture('service.cjs'),
  port,
  instances: 2,
  ...more,
});

/** Runs a command that changes one app, whatever comes of it. */
export async function change(
  drover: Drover,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly code: number; readonly receipt: ReceiptDocument; readonly result: CommandResult }> {
  const result = await drover.run([...args, '--json'], options);
  const document = JSON.parse(result.stdout) as ReceiptDocument & { receipts?: readonly ReceiptDocument[] };
  const receipt = document.receipts?.[0] ?? document;
  if (receipt.outcome === undefined) throw new CommandFailed(args, result);
  return { code: result.code, receipt, result };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  path = '/',
  {
    host = '127.0.0.1',
    from,
    headers = {},
  }: { readonly host?: string; readonly from?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return answerOf({ host, port, path, headers, timeout: 10_000, localAddress: from });
}

/** The same over a Unix socket. */
export async function askSocket(socketPath: string, path = '/'): Promise<Answer> {
  return answerOf({ socketPath, path, timeout: 10_000 });
}

async function answerOf(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.end();
  });
}

/** Why a connection to the port fails: `ECONNREFUSED` and the like; null when it is answered. */
export async function refusalAt(port: number, host = '127.0.0.1'): Promise<string | null> {
  try {
    await ask(port, '/', { host });
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The pids that answer, asked until `count` different ones were seen. */
export async function untilAnswering(port: number, count: number, host = '127.0.0.1'): Promise<Set<number>> {
  const pids = new Set<number>();
  await eventually(`${count} workers answer on port ${port}`, async () => {
    pids.add(Number((await ask(port, '/', { host })).body));
    return pids.size >= count;
  });
  return pids;
}

/** One document of the daemon's API. */
export async function read<Document>(drover: Drover, path: string): Promise<Document> {
  const { status, body } = await askSocket(join(drover.home, 'drover.sock'), path);
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
  return JSON.parse(body) as Document;
}

export async function readApp(drover: Drover, name: string): Promise<AppDocument> {
  const { apps } = await read<AppListDocument>(drover, '/v1/apps');
  const app = apps.find((one) => one.name === name);
  if (app === undefined) throw new Error(`no app called ${name}`);
  return app;
}

/** Resolves with the app once `holds` is true of it. */
export async function untilApp(
  drover: Drover,
  name: string,
  what: string,
  holds: (app: AppDocument) => boolean,
  { withinMs = 15_000 } = {},
): Promise<AppDocument> {
  let last: AppDocument | null = null;
  try {
    return await eventually(
      `${name} ${what}`,
      async () => {
        last = await readApp(drover, name);
        return holds(last) && last;
      },
      { withinMs },
    );
  } catch (error) {
    throw new Error(`${name} never ${what}: ${JSON.stringify(last)}`, { cause: error });
  }
}

/** Ready, and there: between the end of a process and its account a worker has no pid. */
export const readyWorkers = (app: AppDocument): readonly WorkerDocument[] =>
  app.workers.filter(({ status, pid }) => status === 'ready' && pid !== null);

export const pidsOf = (app: AppDocument): number[] =>
  app.workers.flatMap(({ pid }) => (pid === null ? [] : [pid])).toSorted((a, b) => a - b);

/** Everything on record, oldest first. */
export async function readEvents(drover: Drover, app: string, type?: EventType): Promise<readonly EventDocument[]> {
  const { code, stdout, stderr } = await drover.run(['events', app, '--json']);
  if (code !== 0) throw new Error(`the events of ${app} cannot be read: ${stderr}${stdout}`);
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventDocument);
  return type === undefined ? events : events.filter((event) => event.type === type);
}

export const readWhy = async (drover: Drover, app: string): Promise<WhyDocument> =>
  drover.json<WhyDocument>(['why', app]);
