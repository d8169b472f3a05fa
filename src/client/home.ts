/**
 * Where Drover keeps its things, and on which socket its daemon answers. The CLI and the daemon both ask here, so that
 * they meet.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findDirectoryOwner } from './directory-owner.ts';
import { readRuntimeNote } from './runtime-note.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HomeQuestion {
  readonly env: Environment;
  readonly uid: number;
}

/** The system holds at most 108 bytes of a socket's path, one of them the end mark (104 on macOS). */
const LONGEST_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

const ROOT_HOME = '/var/lib/drover';

/** `DROVER_HOME`, else `/var/lib/drover` for root, else `$XDG_STATE_HOME/drover`. */
export const findHome = ({ env, uid }: HomeQuestion): string => {
  if (env['DROVER_HOME']) return resolve(env['DROVER_HOME']);
  if (uid === 0) return ROOT_HOME;
  const state = env['XDG_STATE_HOME'];
  // The specification says that relative paths are to be ignored.
  return join(state?.startsWith('/') ? state : join(env['HOME'] || homedir(), '.local/state'), 'drover');
};

/**
 * `drover.sock` in the home; where that path is too long for a socket, a name derived from the home in the runtime
 * directory (the one that a daemon has chosen, else `$XDG_RUNTIME_DIR`, else a private directory below the temporary one).
 */
export const findSocketPath = (home: string, { env, uid }: HomeQuestion): string => {
  const path = join(home, 'drover.sock');
  return fitsSocket(path) ? path : findRuntimePath(home, 'sock', { env, uid });
};

/** Whether a socket can have this path. */
export const fitsSocket = (path: string): boolean => Buffer.byteLength(path) <= LONGEST_SOCKET_PATH;

/** A name derived from the home in the runtime directory, for what cannot lie in the home itself. */
export const findRuntimePath = (home: string, ending: string, { env, uid }: HomeQuestion): string => {
  // Loaded here and not above: most homes are short, and the CLI's start-up counts milliseconds.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const name = createHash('sha256').update(home).digest('hex').slice(0, 16);
  return join(findRuntimeDirectory(home, { env, uid }), `${name}.${ending}`);
};

/** As long as the one that is noted is there and ours: systemd removes a user's with the last session. */
const findRuntimeDirectory = (home: string, question: HomeQuestion): string => {
  const noted = readRuntimeNote(home, question.uid);
  const isUsable = noted !== null && findDirectoryOwner(noted, question.uid).kind === 'own';
  return isUsable ? noted : chooseRuntimeDirectory(question);
};

const chooseRuntimeDirectory = ({ env, uid }: HomeQuestion): string => {
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime?.startsWith('/')) return join(runtime, 'drover');
  return uid === 0 ? '/run/drover' : join(tmpdir(), `drover-${uid}`);
};

/** Nothing can be made there, not even a socket. */
export const isReadOnly = (home: string): boolean => {
  try {
    accessSync(home, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
};

/** Of whoever runs this process; -1 where the system has no such numbers. */
export const ownUid = (): number => process.getuid?.() ?? -1;

const ownQuestion = (): HomeQuestion => ({ env: process.env, uid: ownUid() });

/**
 * The runtime directory that holds this path, of those that are in question for this process: the one that its environment
 * names, and the one that a daemon has noted. Null for a path elsewhere, as in the home.
 */
export const ownRuntimeDirectoryOf = (path: string): string | null => {
  const question = ownQuestion();
  const home = findHome(question);
  const holds = (directory: string): boolean => path.startsWith(`${directory}/`);
  const chosen = chooseRuntimeDirectory(question);
  if (holds(chosen)) return chosen;
  // Nearly always, and then nothing has to be read.
  if (holds(home)) return null;
  const noted = readRuntimeNote(home, question.uid);
  return noted !== null && holds(noted) ? noted : null;
};

/** Of any home, as the environment of this process has it. */
export const ownRuntimePath = (home: string, ending: string): string => findRuntimePath(home, ending, ownQuestion());

/** What the environment of this process says. */
export const ownHome = (): {
  readonly home: string;
  /** Where the daemon is asked. */
  readonly socketPath: string;
  /** Where a daemon answers whose home can be written. */
  readonly usualPath: string;
  /** Where a daemon that begins now answers: not in a home that is mounted read-only. */
  readonly servePath: string;
  /** A file or folder beside the home's own, in the runtime directory. */
  readonly runtimePath: (ending: string) => string;
  readonly rootAdvice: () => string | null;
} => {
  const question = ownQuestion();
  const home = findHome(question);
  const usualPath = findSocketPath(home, question);
  const isFixed = isReadOnly(home);
  // Named only where it matters, because the name takes a hash.
  const isElsewhere = isFixed || !existsSync(usualPath);
  const runtimePath = isElsewhere ? findRuntimePath(home, 'sock', question) : usualPath;
  return {
    home,
    usualPath,
    servePath: isFixed ? runtimePath : usualPath,
    // The home may have become read-only, or writable again, since the daemon began.
    socketPath: isElsewhere && isOwnSocket(runtimePath, question) ? runtimePath : usualPath,
    runtimePath: (ending) => findRuntimePath(home, ending, question),
    rootAdvice: () => findRootAdvice(question),
  };
};

/** A socket where nobody else can make one. */
const isOwnSocket = (path: string, { uid }: HomeQuestion): boolean =>
  findDirectoryOwner(dirname(path), uid).kind === 'own' && existsSync(path);

/** Advice for a user without a daemon on a machine where root has a Drover: the apps are probably there. */
export const findRootAdvice = ({ env, uid }: HomeQuestion): string | null =>
  uid > 0 && !env['DROVER_HOME'] && existsSync(ROOT_HOME)
    ? 'Start it with `drover daemon start`; or, if you look for apps of root, use `sudo drover`.'
    : null;
