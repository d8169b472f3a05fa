/**
 * The door of `program/`: Drover as files on a disk. Which program this is, its copy under a home, and which of several
 * a home's daemon is started from.
 */
export { copyInto, restoreCopy, type Prepared } from './copy.ts';
export { decide, type Decision, type StartQuestion } from './decide.ts';
export { installedProgram, ownProgram } from './installed.ts';
export { commandOf, DAEMON_ENVIRONMENT, isSameProgram, isUsable, type Program } from './program.ts';
export {
  notePending,
  noteProblem,
  readPending,
  readRecord,
  settlePending,
  VERSIONS_FOLDER,
  withdrawPending,
  writeRecord,
  type Pending,
  type ProgramRecord,
} from './records.ts';
export { COPY_FILE, originOf, readCopy } from './read-copy.ts';
export { removeOld } from './remove-old.ts';
export { testOnCopy, type Verdict } from './run-self-test.ts';
export { isStartedBeside, leaveStartLock, takeStartLock, type StartLock, type StartTurn } from './start-lock.ts';
export { syncCopy } from './sync-copy.ts';
export { compareVersions } from './version.ts';
export { listDaemons, type DaemonProcess } from './list-daemons.ts';
