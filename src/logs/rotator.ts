/**
 * Decides which file is rotated when, one at a time for all apps. A file is due when it holds more outside archives than
 * it may. Where the file system cannot free a part of a file, and for apps that want it so, files that are written to
 * are left alone; only what is finished is put away.
 */
import { rmSync, statSync } from 'node:fs';
import { LARGEST_BYTES, readShelf, SHORTER } from './archive-name.ts';
import type { ArchivedFile, ArchiveFormat } from './archive-name.ts';
import { alignDown, recoverFile, rotate } from './rotation.ts';
import type { RotationTools } from './rotation.ts';
import { tellOnce } from './tell-once.ts';

export interface RotatorOptions extends RotationTools {
  readonly format: () => ArchiveFormat;
  readonly monotonicMs: () => number;
  /** Something that a person should know, once for each new reason. Must not throw. */
  readonly onProblem: (message: string) => void;
  /** The disk has no room for an archive: what can be removed should be, now. Where it rejects, that is told. */
  readonly makeRoom: () => Promise<void>;
  /** After each rotation that came to something. Where it rejects, that is told, and the file rests for a while. */
  readonly onRotated: (file: ArchivedFile) => Promise<void>;
}

/** When a file is rotated: by what it holds outside archives. */
export interface Due {
  readonly bytes: number;
  /** From here on the file grows faster than we are: rotation is then no less urgent than what the machine is for. */
  readonly urgentBytes: number;
}

export interface Rotator {
  /** The file has this size now: rotates it where that is due. */
  grown(file: ArchivedFile, size: number, due: Due): void;
  /** Brings to an end what an earlier daemon left of it. */
  recover(file: ArchivedFile): void;
  /** Puts away all of a file that nobody writes to any more, and removes it. */
  finish(file: ArchivedFile): void;
  /** The file is about to be emptied: a rotation that is going on comes to nothing. */
  restart(file: ArchivedFile): void;
  /** Forgets files that are gone. */
  forget(isGone: (file: ArchivedFile) => boolean): void;
  /** Resolves when nothing is waiting or going on. */
  idle(): Promise<void>;
  /** What is going on ends where it is; the next daemon repeats it. */
  close(): void;
}

type Work = 'rotate' | 'finish' | 'recover';

interface State {
  readonly file: ArchivedFile;
  /** Null until it was looked at: after an earlier daemon, a rotation that failed, and when the file was emptied. */
  archivedEnd: number | null;
  /** Counts how often the file was emptied. */
  life: number;
  isWaiting: boolean;
  due: Due;
  notBeforeMs: number;
}

const USUAL_NICENESS = 10;
const NEVER: Due = { bytes: Infinity, urgentBytes: Infinity };
/** After an attempt that failed. */
const RETRY_AFTER_MS = 10_000;
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

export function openRotator(options: RotatorOptions): Rotator {
  const states = new Map<string, State>();
  const tell = tellOnce(options.onProblem);
  let last: Promise<void> = Promise.resolve();
  let isClosed = false;

  const stateOf = (file: ArchivedFile): State => {
    const known = states.get(file.path);
    if (known !== undefined) return known;
    const state: State = { file, archivedEnd: null, life: 0, isWaiting: false, due: NEVER, notBeforeMs: 0 };
    states.set(file.path, state);
    return state;
  };
  const enqueue = (state: State, work: Work): void => {
    if (state.isWaiting || isClosed) return;
    state.isWaiting = true;
    const turn = async (): Promise<void> => {
      try {
        if (!isClosed) await attempt(state, work);
      } catch (error) {
        tell(`${state.file.path} was not rotated, and what follows from that failed: ${(error as Error).message}`);
      } finally {
        state.isWaiting = false;
      }
    };
    // A failure concerns one file, once: whatever comes of one turn, the next one follows.
    last = last.then(turn, turn);
  };

  const attempt = async (state: State, work: Work): Promise<void> => {
    const { file } = state;
    const isWhole = work === 'finish';
    try {
      await know(state);
      if (work === 'recover' || !(await rotateNow(state, isWhole))) return;
      await options.onRotated(file);
      const size = statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
      // It may have grown meanwhile, and then rest.
      setImmediate(() => {
        if (states.get(file.path) === state && !isWhole) rotator.grown(file, size, state.due);
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // The file was emptied or removed meanwhile.
      if (code === SHORTER || code === 'ENOENT') return;
      state.notBeforeMs = options.monotonicMs() + RETRY_AFTER_MS;
      tell(`${file.path} was not rotated: ${message}`);
      if (code !== undefined && FULL.has(code)) await options.makeRoom();
    }
  };

  /** What is due may have been rotated already, by a daemon that died after it; or somebody has emptied the file. */
  const know = async (state: State): Promise<void> => {
    const { file, archivedEnd, life } = state;
    const size = statSync(file.path, { throwIfNoEntry: false })?.size ?? Infinity;
    if (archivedEnd !== null && size >= archivedEnd) return;
    const found = await recoverFile(file, options.punch, () => state.life !== life);
    state.archivedEnd = state.life === life ? found : null;
  };

  const rotateNow = async (state: State, isWhole: boolean): Promise<boolean> => {
    const { file, life, archivedEnd: start } = state;
    // Emptied while it was looked at: it begins anew when it has grown.
    if (start === null) return false;
    const size = statSync(file.path).size;
    const end = Math.min(isWhole ? size : alignDown(size), start + LARGEST_BYTES);
    const isLast = isWhole && end === size;
    if (isLast && end === start && size > 0) {
      rmSync(file.path); // Recorded before, by a daemon that died after it.
      return true;
    }
    if (end <= start) return false;
    const niceness = size - start >= state.due.urgentBytes ? 0 : USUAL_NICENESS;
    const isOutdated = (): boolean => state.life !== life;
    const isCalledOff = (): boolean => isClosed;
    const range = { start, end };
    const request = { file, range, format: options.format(), niceness, isWhole: isLast, isOutdated, isCalledOff };
    // What fails after the archive has its name leaves the file half freed: the next try first looks at what there is.
    state.archivedEnd = null;
    const hasRotated = await rotate(request, options);
    if (state.life === life) state.archivedEnd = hasRotated ? end : null;
    return hasRotated;
  };

  const rotator: Rotator = {
    grown(file, size, due) {
      const state = stateOf(file);
      state.due = due;
      const archivedEnd = state.archivedEnd ?? readShelf(file).archivedEnd;
      // Also where it became shorter: the rotation notices, and begins anew.
      const isDue = size - archivedEnd >= due.bytes || size < archivedEnd;
      if (isDue && options.monotonicMs() >= state.notBeforeMs) enqueue(state, 'rotate');
    },
    recover: (file) => enqueue(stateOf(file), 'recover'),
    finish: (file) => enqueue(stateOf(file), 'finish'),
    restart(file) {
      const state = states.get(file.path);
      if (state === undefined) return;
      state.life += 1;
      state.archivedEnd = null;
    },
    forget(isGone) {
      for (const state of states.values()) if (isGone(state.file)) states.delete(state.file.path);
    },
    async idle() {
      for (let seen: Promise<void> | null = null; seen !== last;) {
        seen = last;
        await seen;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close() {
      isClosed = true;
    },
  };
  return rotator;
}
