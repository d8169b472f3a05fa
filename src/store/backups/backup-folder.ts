/**
 * The backups on disk: `<home>/backups/`. Each appears whole or not at all (written under another name, synced, renamed,
 * the folder synced), and was looked at in full before it got its name.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { backup, type DatabaseSync } from 'node:sqlite';
import { connectUnchanged, makePrivate } from '../connection.ts';
import { extentOf, findDamage } from '../verify.ts';
import { byExtent, nameBackup, parseBackupName, type BackupName } from './backup-name.ts';
import { chooseKept } from './choose-kept.ts';

/** Pages a step: some are copied on another thread while the event loop goes on (docs/decisions/sqlite.md). */
const PAGES_A_STEP = 64;
const UNFINISHED = '.unfinished';
const SET_ASIDE = '.set-aside';

export class BackupFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The furthest first. */
  list(): readonly BackupName[] {
    return this.#names()
      .map(parseBackupName)
      .filter((found) => found !== null)
      .sort(byExtent);
  }

  /** Where it lies. */
  pathOf({ name }: BackupName): string {
    return join(this.path, name);
  }

  /** Whether it can be relied on. */
  isGood(found: BackupName): boolean {
    try {
      const connection = connectUnchanged(this.pathOf(found));
      try {
        return findDamage(connection) === null && extentOf(connection).schema > 0;
      } finally {
        connection.close();
      }
    } catch {
      // Not even a database: the next older one is tried.
      return false;
    }
  }

  /** Copies the state while it is in use. Rejects with what SQLite or the file system says. */
  async write(connection: DatabaseSync, atMs: number): Promise<BackupName> {
    const unfinished = this.#begin();
    try {
      await backup(connection, unfinished, { rate: PAGES_A_STEP });
      return this.#finish(unfinished, atMs);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }

  /** The same at once, for the moments in which nothing else goes on: before a migration, and at the end. */
  writeAtOnce(connection: DatabaseSync, atMs: number): BackupName {
    const unfinished = this.#begin();
    try {
      connection.prepare('VACUUM INTO :file').run({ file: unfinished });
      return this.#finish(unfinished, atMs);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  }

  /** Puts a copy of the backup, `prepare`d, where the state belongs; nothing may be there. */
  restore(found: BackupName, file: string, prepare: (copy: string) => void = () => {}): void {
    const unfinished = `${file}${UNFINISHED}`;
    copyFileSync(this.pathOf(found), unfinished, constants.COPYFILE_FICLONE);
    prepare(unfinished);
    settle(unfinished, file);
  }

  /** Gives backups of schemas beyond this one names under which they are not taken for one of this state any more. */
  setAsideNewer(schema: number): void {
    for (const found of this.list()) {
      if (found.schema > schema) renameSync(this.pathOf(found), `${this.pathOf(found)}${SET_ASIDE}`);
    }
  }

  /** What a kill left half done. */
  sweep(): void {
    for (const name of this.#names()) if (name.includes(UNFINISHED)) rmSync(join(this.path, name), { force: true });
  }

  #begin(): string {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const unfinished = join(this.path, `state${UNFINISHED}`);
    for (const rest of ['', '-journal', '-wal']) rmSync(`${unfinished}${rest}`, { force: true });
    makePrivate(unfinished);
    return unfinished;
  }

  #finish(unfinished: string, atMs: number): BackupName {
    const connection = connectUnchanged(unfinished);
    let name: string;
    try {
      const damage = findDamage(connection);
      if (damage !== null) throw new Error(`the state is damaged: ${damage}`);
      name = nameBackup(atMs, extentOf(connection));
    } finally {
      connection.close();
    }
    settle(unfinished, join(this.path, name));
    const written = parseBackupName(name) as BackupName;
    const kept = chooseKept(this.list(), atMs);
    for (const old of this.list()) if (!kept.has(old.name)) rmSync(this.pathOf(old), { force: true });
    return written;
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.path);
    } catch {
      // There are none yet, or they cannot be reached: as good as none.
      return [];
    }
  }
}

/** Gives a finished file its name, so that whatever happens there is the whole of it under that name or nothing. */
export function settle(unfinished: string, file: string): void {
  syncPath(unfinished);
  renameSync(unfinished, file);
  syncPath(dirname(file));
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
