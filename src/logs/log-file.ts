/**
 * Where output lies: `<home>/logs/<app>/<slot>.<generation>.out.log` (or `.err.log`), its time index beside it with
 * `.idx` at the end, what was rotated out of it in `archive/` below. A generation has files of its own, so the name says
 * whose lines they are.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DroverError } from '../protocol/index.ts';
import type { LogLineDocument } from '../protocol/index.ts';

export type LogStream = LogLineDocument['stream'];

export interface LogFile {
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
  readonly stream: LogStream;
  readonly path: string;
  readonly indexPath: string;
  /** How the names of its archives begin, and the directory that they are in. */
  readonly stem: string;
  readonly archiveDirectory: string;
}

const SHORT: Readonly<Record<LogStream, string>> = { stdout: 'out', stderr: 'err' };
const NAME = /^(?<slot>\d+)\.(?<generation>\d+)\.(?<stream>out|err)$/;
const LOG_SUFFIX = '.log';

export function logDirectory(home: string, app: string): string {
  // Names were checked when the app was configured; this is the last place before the file system.
  if (app === '' || app.startsWith('.') || app.includes('/') || app.includes('\0')) {
    throw new DroverError('DROVER_APP_UNKNOWN', { app });
  }
  return join(home, 'logs', app);
}

export function logFileOf(
  home: string,
  { app, slot, generation, stream }: Pick<LogFile, 'app' | 'slot' | 'generation' | 'stream'>,
): LogFile {
  const directory = logDirectory(home, app);
  const stem = `${slot}.${generation}.${SHORT[stream]}`;
  const path = join(directory, stem + LOG_SUFFIX);
  const archiveDirectory = join(directory, 'archive');
  return { app, slot, generation, stream, path, indexPath: `${path}.idx`, stem, archiveDirectory };
}

/**
 * The log files of an app, those included of which only archives are left; none where it has no directory. By slot,
 * generation, stdout before stderr.
 */
export function listLogFiles(home: string, app: string): LogFile[] {
  const directory = logDirectory(home, app);
  const stems = new Set(
    namesIn(directory).flatMap((name) => (name.endsWith(LOG_SUFFIX) ? [name.slice(0, -LOG_SUFFIX.length)] : [])),
  );
  for (const name of namesIn(join(directory, 'archive'))) stems.add(name.split('.', 3).join('.'));
  const files: LogFile[] = [];
  for (const stem of stems) {
    const { slot, generation, stream } = NAME.exec(stem)?.groups ?? {};
    if (slot === undefined || generation === undefined) continue;
    files.push(
      logFileOf(home, {
        app,
        slot: Number(slot),
        generation: Number(generation),
        stream: stream === SHORT.stderr ? 'stderr' : 'stdout',
      }),
    );
  }
  return files.sort(compareLogFiles);
}

/** A total order for lines that the index cannot tell apart. */
export function compareLogFiles(a: LogFile, b: LogFile): number {
  if (a.app !== b.app) return a.app < b.app ? -1 : 1;
  if (a.slot !== b.slot) return a.slot - b.slot;
  if (a.generation !== b.generation) return a.generation - b.generation;
  return a.stream === b.stream ? 0 : a.stream === 'stdout' ? -1 : 1;
}

/** The names in a directory; none where it does not exist, or something else is in its place. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (NO_DIRECTORY.has((error as NodeJS.ErrnoException).code)) return [];
    throw error;
  }
}

const NO_DIRECTORY = new Set<string | undefined>(['ENOENT', 'ENOTDIR']);
