/**
 * Opens the state, whatever has become of its file: as it is, brought to this program's schema; or the furthest good
 * backup in its place when it is damaged, truncated, empty, missing or behind that backup; in memory when the disk takes
 * no write. Never deletes a damaged file, and never begins anew where there is something to go on with.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { DroverError } from '../protocol/index.ts';
import { settle, type BackupFolder } from './backups/backup-folder.ts';
import { timeStamp, type BackupName } from './backups/backup-name.ts';
import { connectFile, connectMemory, copyToMemory, isEmptyFile, makePrivate, walOf } from './connection.ts';
import { diskTroubleOf, systemMessageOf, toStateError } from './disk-trouble.ts';
import { markFallBack } from './fall-back-mark.ts';
import { isOutdated, migrate, MIGRATIONS, refuseNewer } from './migrate.ts';
import { extentOf, findDamage } from './verify.ts';
import { takeAlong } from './take-along.ts';
import { countLostCommits } from './wal-check.ts';

export interface FallBack {
  readonly atMs: number;
  /** What was wrong with the file. */
  readonly reason: string;
  /** When the backup was taken that is used now. */
  readonly backupAtMs: number;
  /** Where the damaged file lies; null where there was none, or it could not be moved. */
  readonly setAside: string | null;
}

export interface WentBack {
  /** Of the state that the newer program left, and where that lies now. */
  readonly schema: number;
  readonly setAside: string;
}

export interface Opened {
  readonly connection: DatabaseSync;
  /** A newer program had changed the state and is gone again; null: not so. */
  readonly wentBack?: WentBack;
  /** Why it is a copy in memory; null when it is the file. */
  readonly onlyInMemory: string | null;
  readonly fallBack: FallBack | null;
  /** Committed changes at the end of the journal that could not be read; the rest was. */
  readonly lostChanges: number;
}

export interface StatePlace {
  readonly file: string;
  readonly backups: BackupFolder;
  /** Of this Drover. */
  readonly version: string;
  readonly nowMs: () => number;
  /** An upgrade was begun and did not come up: what it made of the state is gone back behind. */
  readonly goesBack?: boolean;
  /** Only given by tests. */
  readonly migrations?: readonly string[];
}

/** What is wrong with the file, where a backup is to take its place. */
class Damage extends Error {}

/** Throws DROVER_STATE_UNREADABLE (damaged and no backup, or held by another daemon) and DROVER_STATE_NEWER. */
export function openState(place: StatePlace): Opened {
  const { file, backups } = place;
  try {
    return openFile(place);
  } catch (error) {
    if (place.goesBack === true && error instanceof DroverError && error.code === 'DROVER_STATE_NEWER') {
      return goBack(place, error);
    }
    const trouble = diskTroubleOf(error);
    // A cause that is the disk's and not the file's: what the file says can be had all the same.
    if (trouble === 'unwritable') return openInMemory(place, systemMessageOf(error));
    const damage = error instanceof Damage || trouble === 'damaged' ? systemMessageOf(error) : null;
    if (damage === null) throw toStateError(file, error);
    const backup = findGood(backups, place);
    if (backup === undefined) {
      throw new DroverError('DROVER_STATE_UNREADABLE', { file, message: damage, isDamaged: true }, { cause: error });
    }
    return putBack(place, backup, damage);
  }
}

/** The state as its file has it. Throws {@link Damage}, or what SQLite and the file system say. */
function openFile(place: StatePlace): Opened {
  const { file, backups } = place;
  const problem = findObviousProblem(place);
  if (problem !== null) throw new Damage(problem);
  const wal = walOf(file);
  const lostChanges = isEmptyFile(wal) ? 0 : countLostCommits(readFileSync(wal));
  // The schema alone may reach beyond where the file was cut off, and be missed here already.
  const connection = connectFile(file, (failed) => closeUnchanged(failed, wal));
  try {
    refuseNewer(connection, place);
    const damage = findDamage(connection);
    if (damage !== null) throw new Damage(damage);
    const { seq } = extentOf(connection);
    const furthest = backups.list()[0];
    // A backup can only be ahead of a state that has lost what it had: its journal, or its file to an older copy.
    if (furthest !== undefined && furthest.seq > seq && findGood(backups, place, seq) !== undefined) {
      throw new Damage(`it is older than its backup of ${new Date(furthest.atMs).toISOString()}`);
    }
    bringUp(connection, place);
    return { connection, onlyInMemory: null, fallBack: null, lostChanges };
  } catch (error) {
    closeUnchanged(connection, wal);
    throw error;
  }
}

/** SQLite removes the journal of a file that it closes, and it may be what a damaged one can be mended with. */
function closeUnchanged(connection: DatabaseSync, wal: string): void {
  const copy = `${wal}.kept`;
  const hasCopy = !isEmptyFile(wal) && tryTo(() => copyFileSync(wal, copy));
  connection.close();
  if (hasCopy) tryTo(() => renameSync(copy, wal));
}

/** A disk that is full as well has worse to tell. */
function tryTo(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** What can be told without SQLite, which would take an empty file for a new one and throw its journal away. */
function findObviousProblem({ file, backups }: StatePlace): string | null {
  // Opening a directory fails for another reason than damage, and opening a pipe for none: it waits.
  if (isOther(file)) return 'it is not a file';
  if (isOther(walOf(file))) return 'its journal is not a file';
  const isThere = existsSync(file);
  if (isThere && !isEmptyFile(file)) return null;
  const isNew = isEmptyFile(walOf(file)) && backups.list().length === 0;
  if (isNew) return null;
  return isThere ? 'it is empty' : 'it is missing';
}

const isOther = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === false;

/** A backup first, so that there is a way back to the Drover before. */
function bringUp(connection: DatabaseSync, { backups, nowMs, migrations }: StatePlace): void {
  if (!isOutdated(connection, migrations)) return;
  if (extentOf(connection).schema > 0) backups.writeAtOnce(connection, nowMs());
  migrate(connection, migrations);
}

/**
 * To the backup that was taken before the migration. What happened after it and is history is taken along: events, and
 * how operations ended.
 */
function goBack(place: StatePlace, error: DroverError): Opened {
  const { file, backups, nowMs, migrations = MIGRATIONS } = place;
  const backup = findGood(backups, place);
  if (backup === undefined) throw error;
  backups.setAsideNewer(migrations.length);
  const schema = Number(error.data['schema']);
  const setAside = moveAside(file, nowMs(), 'newer');
  if (setAside === null) throw error;
  backups.restore(backup, file);
  const opened = openFile(place);
  takeAlong(setAside, opened.connection);
  return { ...opened, wentBack: { schema, setAside } };
}

/** The furthest backup that is whole and that this program can read. */
function findGood(backups: BackupFolder, { migrations }: StatePlace, beyondSeq = -1): BackupName | undefined {
  return backups
    .list()
    .filter(({ seq }) => seq > beyondSeq)
    .find((backup) => backups.isGood(backup) && !isFromNewer(backup, migrations));
}

const isFromNewer = ({ schema }: BackupName, migrations = MIGRATIONS): boolean => schema > migrations.length;

function putBack(place: StatePlace, backup: BackupName, reason: string): Opened {
  const { file, backups, nowMs } = place;
  const atMs = nowMs();
  const fallBack = (setAside: string | null): FallBack => ({ atMs, reason, backupAtMs: backup.atMs, setAside });
  try {
    const setAside = moveAside(file, atMs);
    backups.restore(backup, file, (copy) => markFallBack(copy, backup.atMs));
    return { ...openFile(place), fallBack: fallBack(setAside) };
  } catch (error) {
    if (diskTroubleOf(error) !== 'unwritable') throw toStateError(file, error);
    const connection = copyToMemory(backups.pathOf(backup));
    migrate(connection, place.migrations);
    return { connection, onlyInMemory: systemMessageOf(error), fallBack: fallBack(null), lostChanges: 0 };
  }
}

/** The file and its journal under another name; null where there was nothing. */
function moveAside(file: string, atMs: number, why: 'damaged' | 'newer' = 'damaged'): string | null {
  const aside = `${file}.${why}-${timeStamp(atMs)}`;
  // The journal first: without it the file is not taken for a state that has lost nothing.
  const moved = ['-wal', ''].filter((rest) => {
    if (!existsSync(`${file}${rest}`)) return false;
    renameSync(`${file}${rest}`, `${aside}${rest}`);
    return true;
  });
  return moved.length === 0 ? null : aside;
}

/** The disk takes no write: a copy of what is there, or of its backup, or nothing where nothing was. */
function openInMemory(place: StatePlace, reason: string): Opened {
  const { file, backups } = place;
  const problem = findObviousProblem(place);
  const inMemory = (connection: DatabaseSync, fallBack: FallBack | null): Opened => {
    migrate(connection, place.migrations);
    return { connection, onlyInMemory: reason, fallBack, lostChanges: 0 };
  };
  if (problem === null && isEmptyFile(file)) return inMemory(connectMemory(), null);
  let damage = problem;
  if (damage === null) {
    try {
      const connection = copyToMemory(file);
      refuseNewer(connection, place);
      damage = findDamage(connection);
      if (damage === null) return inMemory(connection, null);
      connection.close();
    } catch (error) {
      if (diskTroubleOf(error) === null) throw error;
      damage = systemMessageOf(error);
    }
  }
  const backup = findGood(backups, place);
  if (backup === undefined)
    throw new DroverError('DROVER_STATE_UNREADABLE', { file, message: damage, isDamaged: true });
  const fallBack = { atMs: place.nowMs(), reason: damage, backupAtMs: backup.atMs, setAside: null };
  return inMemory(copyToMemory(backups.pathOf(backup)), fallBack);
}

/**
 * Whether the file is still the one that was opened: SQLite would go on writing to one that has no name any more. And
 * whether it was truncated in its place, which SQLite, that has read it, does not look at. Only looked at from outside: a
 * descriptor of it that is closed takes the lock along that keeps a second daemon away.
 */
export function watchFile(file: string): { remember(): void; isLost(): boolean } {
  const look = (): Pick<Stats, 'ino' | 'size'> | null => statSync(file, { throwIfNoEntry: false }) ?? null;
  let known = look();
  return {
    remember: () => void (known = look()),
    isLost: () => {
      const now = look();
      // Nothing here ever makes it smaller.
      const isSame = now?.ino === known?.ino && (now?.size ?? 0) >= (known?.size ?? 0);
      if (isSame) known = now;
      return !isSame;
    },
  };
}

/** Writes all that the connection still has to where the file was; its folder may have gone with it. */
export function rewriteState(file: string, connection: DatabaseSync, atMs: number): void {
  const unfinished = `${file}.unfinished`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  rmSync(unfinished, { force: true });
  makePrivate(unfinished);
  connection.prepare('VACUUM INTO :file').run({ file: unfinished });
  // What lies there now is not ours, or a journal that belongs to what is gone.
  moveAside(file, atMs);
  settle(unfinished, file);
}
