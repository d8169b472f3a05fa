/**
 * The file of a Unix socket that all workers of an app share: the path that clients know, and a second name beside it, a
 * hard link. Many apps unlink their path before they listen, or on their way out, which is right for a process that has
 * bound it itself; here it would hide the socket of all the others. The kernel finds a Unix socket by the inode of its
 * file, so that a link from the second name makes the path lead there again.
 *
 *     there ──somebody unlinks the path──▶ put back at once (inotify on the inode: told of every link that comes or goes)
 *     taken ──another socket or file sits at the path: it is left alone, and looked at again
 *     lost  ──the second name is gone as well, or the system makes no link: only a new socket can be bound there
 */
import { linkSync, lstatSync, readdirSync, unlinkSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeadSocket, listeningInodes } from '../os/index.ts';
import { secondName, secondNamePrefix } from '../protocol/index.ts';

export type FileState = 'there' | 'taken' | 'lost';

export interface SocketFileParts {
  /** Absolute, and not in the abstract space, which has no files. */
  readonly path: string;
  /** Of the socket, as `fstat` of a descriptor gives it: not of its file. */
  readonly inode: number;
  /** It was bound just now, by us; else by a worker, or by the daemon before us. */
  readonly isNew: boolean;
  readonly onChange: (state: FileState) => void;
  /** A name has come or gone: to be polled soon. */
  readonly onTouch: () => void;
}

/** Looked at by time only where nobody tells of a change. */
const UNWATCHED_MS = 250;
const UNREACHABLE_MS = 1000;
/** Of putting it back in one look, while others come and go there. */
const MOST_ATTEMPTS = 3;
/** What a file system says that makes no hard links of sockets, or not for us. */
const REFUSALS: ReadonlySet<string> = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EMLINK', 'ENOSYS']);

export class SocketFile {
  readonly #parts: SocketFileParts;
  readonly #second: string;
  /** The file's device and inode; null: not known, because neither name was there for certain. */
  readonly #own: string | null;
  #watcher: FSWatcher | null = null;
  #state: FileState = 'there';
  /** Nobody has been given the socket yet: that its path is gone again concerns only who binds it. */
  #isBeingMade: boolean;
  #isRefused = false;
  #isClosed = false;

  constructor(parts: SocketFileParts) {
    this.#parts = parts;
    this.#second = secondName(parts.path, parts.inode);
    this.#isBeingMade = parts.isNew;
    if (parts.isNew) removeDead(parts.path);
    const known = parts.isNew ? null : identityOf(this.#second);
    this.#own = known ?? (isAlone(parts) ? identityOf(parts.path) : null);
    this.look();
    this.#isBeingMade = false;
  }

  get state(): FileState {
    return this.#state;
  }

  /** Puts the path back where it is missing and nobody else has it, and the second name where that is missing. */
  look(): FileState {
    if (this.#isClosed) return this.#state;
    // First, so that nothing is missed in between.
    this.#watcher ??= this.#watch();
    if (this.#lookAtPath() === 'there') this.#keepSecond();
    return this.#state;
  }

  /** Looks; tells in how many milliseconds to look again, null for never: a change will be heard of. */
  poll(): number | null {
    if (this.look() !== 'there') return UNREACHABLE_MS;
    return this.#watcher === null ? UNWATCHED_MS : null;
  }

  /** Leaves the file to those who hold the socket. */
  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** Removes both names, as far as they are ours. */
  end(): void {
    this.close();
    // The second name first: an agent that is just putting the path back must not find it any more.
    for (const name of [this.#second, this.#parts.path]) if (this.#isOwn(name)) tryRemove(name);
  }

  #lookAtPath(): FileState {
    if (this.#isClosed) return this.#state;
    const state = this.#settle();
    if (state !== this.#state) {
      this.#state = state;
      if (state !== 'lost' || !this.#isBeingMade) this.#parts.onChange(state);
    }
    return state;
  }

  #settle(): FileState {
    const { path } = this.#parts;
    // Agents put the path back as well, and apps remove it again: it may be another at every look.
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const found = identityOf(path);
      if (found !== null) return found === this.#own ? 'there' : 'taken';
      if (!this.#isOwn(this.#second)) return 'lost';
      const failure = tryLink(this.#second, path);
      if (failure === null) return 'there';
      if (failure !== 'EEXIST') return 'lost';
    }
    return this.#state;
  }

  #keepSecond(): void {
    if (this.#isRefused || identityOf(this.#second) !== null) return;
    const failure = tryLink(this.#parts.path, this.#second);
    if (failure !== null) this.#isRefused = REFUSALS.has(failure);
    // The path may have become somebody else's since it was looked at.
    else if (!this.#isOwn(this.#second)) tryRemove(this.#second);
  }

  #isOwn(name: string): boolean {
    return this.#own !== null && identityOf(name) === this.#own;
  }

  #watch(): FSWatcher | null {
    const name = [this.#second, this.#parts.path].find((each) => this.#isOwn(each));
    if (name === undefined) return null;
    try {
      const watcher = watch(name, { persistent: false }, () => {
        this.#lookAtPath();
        // A second name that is gone is made again a little later: with its folder somebody may be removing both.
        this.#parts.onTouch();
      });
      watcher.on('error', () => {
        watcher.close();
        if (this.#watcher === watcher) this.#watcher = null;
      });
      return watcher;
    } catch {
      // No descriptor or no watch is left, or the system has none: it is looked at by time until there is one.
      return null;
    }
  }
}

/** Whether the file of this socket has been given one, and still has it. */
export function hasSecondName(path: string, inode: number): boolean {
  return identityOf(secondName(path, inode)) !== null;
}

/** Whether what is at the path can only be this socket's: nobody else listens on a socket that was bound there. */
function isAlone({ path, inode, isNew }: SocketFileParts): boolean {
  return isNew || [...listeningInodes({ kind: 'unix', path })].every((each) => each === inode);
}

/** Second names of sockets that nobody holds any more: a daemon and its workers were killed, or the machine stopped. */
function removeDead(path: string): void {
  const start = basename(secondNamePrefix(path));
  for (const name of listNames(dirname(path))) {
    const file = join(dirname(path), name);
    if (name.startsWith(start) && /^\d+$/.test(name.slice(start.length)) && isDeadSocket(file)) {
      tryRemove(file);
    }
  }
}

function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // One may be allowed to enter and to write, and not to read.
    return [];
  }
}

/** Null where there is nothing, or nothing that we may look at. */
function identityOf(name: string): string | null {
  try {
    const { dev, ino } = lstatSync(name, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** Null where it was made, else the code of the refusal. */
function tryLink(from: string, to: string): string | null {
  try {
    linkSync(from, to);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function tryRemove(name: string): void {
  try {
    unlinkSync(name);
  } catch {
    // It is gone, or its folder takes no changes any more: it leads nowhere, and the next socket there replaces it.
  }
}
