/**
 * Where the snapshots of a check lie. They hold every string of the process, so that none may stay behind: the folder goes
 * when the check ends and when the process exits; what a killed process (Ctrl-C in a test runner) has left goes with the
 * next check of anybody on this machine.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = /^drover-leak-check-(\d+)-/;
/** A process of another container may share the folder and not be seen from here; no check takes that long. */
const LEFT_BEHIND_MS = 60 * 60 * 1000;

export class SnapshotFiles {
  readonly #folder: string;
  readonly #isKept: boolean;
  readonly #prefix = `leak-check-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #files: string[] = [];
  readonly #forgetExit: () => void;

  /** `keepIn`: a folder in which they stay; null for one of their own that goes. */
  constructor(keepIn: string | null) {
    this.#isKept = keepIn !== null;
    if (keepIn !== null) mkdirSync(keepIn, { recursive: true });
    else removeLeftBehind();
    this.#folder = keepIn ?? mkdtempSync(join(tmpdir(), `drover-leak-check-${process.pid}-`));
    this.#forgetExit = keepIn === null ? removeOnExit(this.#folder) : () => undefined;
  }

  /** A name for the next one. */
  next(): string {
    const file = join(this.#folder, `${this.#prefix}-${this.#files.length + 1}.heapsnapshot`);
    this.#files.push(file);
    return file;
  }

  last(count: number): readonly string[] {
    return this.#files.slice(-count);
  }

  /** Those that will be there after `remove`. */
  kept(count: number): readonly string[] {
    return this.#isKept ? this.last(count) : [];
  }

  remove(): void {
    this.#forgetExit();
    if (!this.#isKept) rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Reaches the folder's name and no more: what hangs from `process` is in the snapshots, and a list of them would grow there. */
function removeOnExit(folder: string): () => void {
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return () => process.off('exit', remove);
}

function removeLeftBehind(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(FOLDER.exec(name)?.[1] ?? 0);
    if (pid === 0 || isRunning(pid)) continue;
    const folder = join(tmpdir(), name);
    try {
      if (Date.now() - statSync(folder).mtimeMs > LEFT_BEHIND_MS) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody else's, or gone already.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
