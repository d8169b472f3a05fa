/**
 * A daemon with one running app, and a witness to what it is and has: its process, its apps and workers, its operations
 * and what it wrote down. For tests of bad input, which must leave all of that as it was.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type CliContext, runCli } from '../../src/cli/index.ts';
import { createClient } from '../../src/client/index.ts';
import {
  type AppListDocument,
  type DaemonDocument,
  type ErrorCode,
  type ErrorDocument,
  ERRORS,
  type ListenAddress,
  type OperationListDocument,
} from '../../src/protocol/index.ts';
import type { CommandResult, Drover } from './drover.ts';
import { openPlace, type Place, read, service, type Settings, startApp, untilApp } from './service.ts';

/** What of a worker changes by itself, every second. */
const LIVE = [
  'cpuPercent',
  'rssBytes',
  'heapUsedBytes',
  'eventLoopUtilization',
  'connections',
  'inFlight',
  'acceptQueue',
  'requestsPerSecond',
  'latencyMs',
  'errorShare',
  'weight',
] as const;

const TABLES = ['apps', 'releases', 'ports', 'operations', 'workers'] as const;

export interface Witness extends AsyncDisposable {
  readonly drover: Drover;
  /** The configuration file of `shop`, which runs, and what stands in it. */
  readonly file: string;
  readonly settings: Settings;
  /** Runs a command line in this process against the real daemon: a process for each would take ten times as long. */
  readonly cli: (...words: string[]) => Promise<CommandResult>;
  /** The complete configuration of an app, as it was written down. */
  readonly readConfig: (app: string) => string;
  /** Fails unless the daemon lives and everything is as it was at the beginning. */
  readonly assertUnchanged: () => Promise<void>;
  /** The same of all that belongs to other apps than these. */
  readonly assertUnchangedBut: (...apps: string[]) => Promise<void>;
  /** Where the next workers of an app are expected to listen: what is on record. */
  readonly readPorts: (app: string) => readonly ListenAddress[];
}

/** Starts `shop` and whatever `prepare` adds, and takes the fingerprint. */
export async function openWitness(prepare: (drover: Drover) => Promise<void> = async () => {}): Promise<Witness> {
  const place = await openPlace();
  try {
    return await prepareWitness(place, prepare);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

async function prepareWitness(place: Place, prepare: (drover: Drover) => Promise<void>): Promise<Witness> {
  const { drover, port } = place;
  const folder = join(drover.home, 'shop');
  mkdirSync(folder);
  for (const name of ['server.js', 'app.env']) writeFileSync(join(folder, name), '');
  const settings = service(port, { instances: 2, ready: { stableFor: '100ms' } });
  const file = await startApp(drover, 'shop', settings);
  await untilApp(drover, 'shop', 'is online', ({ status }) => status === 'online');
  await prepare(drover);
  const before = await fingerprint(drover);
  return {
    drover,
    file,
    settings,
    cli: (...words) => runInProcess(drover, folder, words),
    readConfig: (app) => String(before.tables['apps']?.find(({ name }) => name === app)?.['config_json']),
    assertUnchanged: async () => assert.deepEqual(await fingerprint(drover), before),
    assertUnchangedBut: async (...apps) =>
      assert.deepEqual(without(await fingerprint(drover), apps), without(before, apps)),
    readPorts: (name) =>
      (readTables(drover.home)['ports'] ?? [])
        .filter(({ app }) => app === name)
        .map((row) => JSON.parse(String(row['address_json'])) as ListenAddress),
    [Symbol.asyncDispose]: async () => place[Symbol.asyncDispose](),
  };
}

interface Fingerprint {
  readonly daemon: Record<string, unknown>;
  readonly apps: readonly Record<string, unknown>[];
  readonly details: readonly Record<string, unknown>[];
  readonly operations: readonly Record<string, unknown>[];
  readonly tables: Readonly<Record<string, readonly Record<string, unknown>[]>>;
}

async function fingerprint(drover: Drover): Promise<Fingerprint> {
  const { pid, startedAt, home } = await read<DaemonDocument>(drover, '/v1/daemon');
  const { apps } = await read<AppListDocument>(drover, '/v1/apps');
  const details = await Promise.all(apps.map(({ name }) => read<Record<string, unknown>>(drover, `/v1/apps/${name}`)));
  const { operations } = await read<OperationListDocument>(drover, '/v1/operations');
  return {
    daemon: { pid, startedAt, home },
    apps: apps.map(steady),
    details: details.map((detail) => ({ ...steady(detail as never), app: detail['name'] })),
    operations: operations.map((operation) => ({ ...operation })),
    tables: readTables(drover.home),
  };
}

const steady = (app: AppListDocument['apps'][number]): Record<string, unknown> => ({
  ...app,
  workers: app.workers.map((worker) =>
    Object.fromEntries(Object.entries(worker).filter(([key]) => !(LIVE as readonly string[]).includes(key))),
  ),
});

/** The daemon has its database for itself: a copy is read, with what is only in the log of it so far. */
function readTables(home: string): Fingerprint['tables'] {
  const copy = join(home, 'copy-of-state.db');
  try {
    // Not `cpSync`: the log may be cut while it is copied, and the kernel's copy then never ends.
    for (const end of ['', '-wal'])
      if (existsSync(join(home, `state.db${end}`)))
        writeFileSync(`${copy}${end}`, readFileSync(join(home, `state.db${end}`)));
    const database = new DatabaseSync(copy);
    const rows = TABLES.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()] as const);
    database.close();
    return Object.fromEntries(rows.map(([table, all]) => [table, all.map((row) => ({ ...row }))]));
  } finally {
    for (const end of ['', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
  }
}

const without = (all: Fingerprint, apps: readonly string[]): Fingerprint => {
  const isOther = ({ name, app }: Record<string, unknown>): boolean => !apps.includes(String(app ?? name));
  return {
    daemon: all.daemon,
    apps: all.apps.filter(isOther),
    details: all.details.filter(isOther),
    operations: all.operations.filter(isOther),
    tables: Object.fromEntries(Object.entries(all.tables).map(([table, rows]) => [table, rows.filter(isOther)])),
  };
};

async function runInProcess(drover: Drover, directory: string, words: readonly string[]): Promise<CommandResult> {
  const out: string[] = [];
  const err: string[] = [];
  const client = createClient({ socketPath: join(drover.home, 'drover.sock') });
  const context: CliContext = {
    print: (line) => out.push(`${line}\n`),
    note: (line) => err.push(`${line}\n`),
    draw: (text) => err.push(text),
    paint: (_style, text) => text,
    isInteractive: false,
    columns: 100,
    env: { PATH: process.env['PATH'], HOME: drover.home },
    directory,
    nowMs: Date.now,
    connect: async () => client,
    ensure: async () => client,
    interrupted: () => new AbortController().signal,
    endWithReader: () => {},
  };
  const code = await runCli(words, context);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

// oxlint-disable-next-line no-control-regex -- what must not reach a terminal
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;

/** Fails unless the command was refused with `exit`, in words that contain `named`, and as one document with `--json`. */
export function assertRefused(words: readonly string[], result: CommandResult, exit: number, named = ''): void {
  const { code, stdout, stderr } = result;
  const what = `drover ${words.map((word) => JSON.stringify(word.slice(0, 200))).join(' ')} → ${code}\n${stdout}${stderr}`;
  assert.equal(code, exit, what);
  const dashes = words.indexOf('--');
  const isJson = (dashes === -1 ? words : words.slice(0, dashes)).includes('--json');
  const message = isJson ? assertErrorDocument(stdout, exit, what) : stderr;
  if (!isJson) assert.equal(stdout, '', what);
  assert.ok(message.includes(named), `${JSON.stringify(named)} is not named: ${what}`);
  assert.doesNotMatch(stderr, /^\s+at .*[:(]|inside Drover|DROVER_INTERNAL/m, what);
  assert.doesNotMatch(stderr, CONTROL, what);
  assert.ok(message.trim().length > 10, what);
  assert.ok(message.length < 20_000, `${message.length} characters are no message`);
}

/** The message of the one error document that `text` must be. */
export function assertErrorDocument(text: string, exit: number | null, what: string): string {
  assert.match(text, /^\{.*\}\n?$/, what);
  const { error } = JSON.parse(text) as ErrorDocument;
  assert.ok(Object.hasOwn(ERRORS, error.code) && error.code !== 'DROVER_INTERNAL', what);
  if (exit !== null) assert.equal(ERRORS[error.code as ErrorCode].exit, exit, what);
  return error.message;
}
