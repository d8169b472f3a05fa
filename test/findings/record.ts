/**
 * Records real profiles of real programs: starts a program under a Node with `recorder.mjs` preloaded, loads it over HTTP
 * for a while, and hands back the files. What a program is asked is told by a `load.mjs` beside it, or is `GET /`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readCpuMs } from '../../bench/processes.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/temporary.ts';

export interface Load {
  readonly request?: {
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
  /** V8's log to write, in a run of its own: V8 writes nothing into it while it profiles. */
  readonly log?: 'deopt' | 'ic';
}

export interface RecordingOptions {
  /** The Node that runs it, the running one unless told. */
  readonly node?: string;
  readonly program: string;
  readonly load?: Load;
  /** Where files are written. */
  readonly folder: string;
  readonly name: string;
  /** How long it is under load, in ms, once it answers; longer on a machine so busy that it could do little meanwhile. */
  readonly loadMs?: number;
}

export interface Recording {
  readonly profile: string;
  readonly log: string | null;
  readonly answers: number;
}

const RECORDER = pathToFileURL(join(import.meta.dirname, 'recorder.mjs')).href;
const CLIENTS = 4;
/** The load goes on until the program has had this part of its time as CPU time, or has been under load so many times as long. */
const ENOUGH_CPU = 0.6;
const MOST_TIMES = 12;

export async function record({
  node = process.execPath,
  program,
  load = {},
  folder,
  name,
  loadMs = 1000,
}: RecordingOptions): Promise<Recording> {
  const profile = join(folder, `${name}.cpuprofile`);
  const run = { node, program, load, loadMs, output: join(folder, `${name}.out`) };
  const answers = await runUnderLoad({ ...run, flags: [], env: { PROFILE_FILE: profile } });
  if (load.log === undefined) return { profile, log: null, answers };
  const log = join(folder, `${name}.v8.log`);
  const flags = [`--log-${load.log}`, '--no-logfile-per-isolate', `--logfile=${log}`];
  await runUnderLoad({ ...run, flags, env: {} });
  return { profile, log, answers };
}

interface Run {
  readonly node: string;
  readonly program: string;
  readonly load: Load;
  readonly loadMs: number;
  readonly output: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function runUnderLoad({ node, program, load, loadMs, output, flags, env }: Run): Promise<number> {
  const port = await freePort();
  // Its output goes where a service's does: to a file, which is written synchronously.
  const file = openSync(output, 'w');
  const child = spawn(node, [...flags, '--import', RECORDER, program], {
    stdio: ['ignore', file, file],
    // What it leaves behind goes with the folder.
    env: { ...process.env, NODE_ENV: 'production', PORT: String(port), TMPDIR: dirname(output), ...env },
  });
  closeSync(file);
  const ended = once(child, 'exit');
  try {
    await eventually(`${program} answers`, async () => ask(port, load, null), { withinMs: 20_000 });
    const answers = await putUnderLoad(port, load, loadMs, child.pid ?? 0);
    child.kill('SIGUSR2');
    const [code, signal] = await ended;
    if (code !== 0) throw new Error(`${program} ended with ${signal ?? code}`);
    return answers;
  } finally {
    child.kill('SIGKILL');
  }
}

/** The load that stands beside a program: `load.mjs` in its folder by the program's name, or `<name>.load.mjs`. */
export async function readLoad(program: string): Promise<Load> {
  const name = program.replace(/^.*\//, '').replace(/\.mjs$/, '');
  for (const [file, key] of [
    [join(program, '..', 'load.mjs'), name],
    [program.replace(/\.mjs$/, '.load.mjs'), 'load'],
  ] as const)
    if (existsSync(file)) {
      const loads = (await import(pathToFileURL(file).href)) as Record<string, Load>;
      return loads[key] ?? {};
    }
  return {};
}

async function putUnderLoad(port: number, load: Load, loadMs: number, pid: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const startedAt = performance.now();
  const cpuMsBefore = readCpuMs([pid]);
  let answers = 0;
  const isDone = (): boolean => {
    const ms = performance.now() - startedAt;
    if (ms < loadMs) return false;
    return ms >= loadMs * MOST_TIMES || readCpuMs([pid]) - cpuMsBefore >= loadMs * ENOUGH_CPU;
  };
  const client = async (): Promise<void> => {
    while (!isDone()) {
      try {
        await ask(port, load, agent);
        answers += 1;
      } catch (error) {
        // A server that was busy for longer than it keeps idle connections closes them, also beneath the next request.
        if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: CLIENTS }, client));
  } finally {
    agent.destroy();
  }
  return answers;
}

async function ask(port: number, { request = {} }: Load, agent: Agent | null): Promise<true> {
  const { method = 'GET', path = '/', headers = {}, body = '' } = request;
  const sent = requestHttp({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: { ...headers, ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }) },
    ...(agent === null ? {} : { agent }),
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if ((response.statusCode ?? 500) >= 500) throw new Error(`answered with ${response.statusCode}`);
  return true;
}
