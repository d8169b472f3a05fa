/**
 * Where the sockets lie that workers and daemon have between them: in the home, or in the runtime directory where the
 * home is mounted read-only or its path leaves no room for theirs.
 */
import { chmodSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  fitsSocket,
  isReadOnly,
  makeFolder,
  makePlaceOf,
  ownRuntimePath,
  RUN_DIRECTORY_MODE,
  writeRuntimeNote,
} from '../client/index.ts';

export interface RunDirectory {
  /** Of the socket that agents without a channel come by. */
  readonly agentSocket: string;
  /** Where the private sockets of workers are made. */
  readonly privateSockets: string;
  /** Leaves no empty folder behind in a directory that everybody shares. */
  close(): void;
}

const AGENT_SOCKET = 'agents.sock';
/** As long as a private socket's name (`net/private-sockets.ts`). */
const PRIVATE_SOCKET = '0123456789abcdef.sock';

const inHome = (home: string): string => join(home, 'run');
const besideIt = (home: string): string => ownRuntimePath(home, 'run');

/** Wherever agents may have been told that a daemon of this home listens. */
export const listAgentSockets = (home: string): readonly string[] =>
  [inHome(home), besideIt(home)].map((directory) => join(directory, AGENT_SOCKET));

/** Makes what is needed, and what is above it. */
export const openRunDirectory = (home: string): RunDirectory => {
  const isFixed = isReadOnly(home);
  if (!isFixed) makeFolder(home, 0o700);
  const made = new Set<string>();
  const directoryFor = (name: string): string => {
    const isInHome = !isFixed && fitsSocket(join(inHome(home), name));
    const directory = isInHome ? inHome(home) : besideIt(home);
    if (!made.has(directory)) {
      if (!isInHome) openRuntimeDirectory(directory);
      if (!isInHome && !isFixed) noteRuntimeDirectory(home, dirname(directory));
      makeFolder(directory, RUN_DIRECTORY_MODE);
    }
    made.add(directory);
    return directory;
  };
  // Each for itself: agents behind wrappers keep the path that an earlier daemon told them for as long as it fits.
  const agentSocket = join(directoryFor(AGENT_SOCKET), AGENT_SOCKET);
  const privateSockets = directoryFor(PRIVATE_SOCKET);
  return {
    agentSocket,
    privateSockets,
    close() {
      const directory = besideIt(home);
      if (made.has(directory) && isEmpty(directory)) rmdirSync(directory);
    },
  };
};

/** The one in which a run directory lies: only its owner can let others in. */
const openRuntimeDirectory = (within: string): void => {
  makePlaceOf(within, RUN_DIRECTORY_MODE);
  const directory = dirname(within);
  const owner = statSync(directory).uid;
  const own = process.getuid?.() ?? owner;
  if (owner !== own) throw new Error(`${directory} belongs to user ${owner}, not to user ${own}: remove it`);
  // Made under a mask, or by a Drover that let nobody in.
  chmodSync(directory, RUN_DIRECTORY_MODE);
};

const noteRuntimeDirectory = (home: string, directory: string): void => {
  try {
    writeRuntimeNote(home, directory);
  } catch {
    // A full disk: whoever has this daemon's environment finds it all the same.
  }
};

const isEmpty = (directory: string): boolean => {
  try {
    return readdirSync(directory).length === 0;
  } catch {
    return false;
  }
};
