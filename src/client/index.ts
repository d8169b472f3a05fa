/** The door of `client/`: how to find, start and talk to the daemon. */
export { readBootUnit, writeBootUnit } from './boot-unit.ts';
export { type ClientOptions, createClient, type DroverClient, type EventRequest, type LogRequest } from './client.ts';
export { daemonCommand } from './daemon-command.ts';
export {
  findHome,
  findSocketPath,
  fitsSocket,
  type HomeQuestion,
  isReadOnly,
  ownHome,
  ownRuntimePath,
} from './home.ts';
export { findToStop } from './find-to-stop.ts';
export { absentDaemon } from './http.ts';
export { ensureDaemon } from './ensure-daemon.ts';
export { makeFolder } from './make-folder.ts';
export { makePlaceOf, RUN_DIRECTORY_MODE } from './runtime-directory.ts';
export { writeRuntimeNote } from './runtime-note.ts';
export { makeHome } from './home-problem.ts';
export { isAnswering } from './is-answering.ts';
export type { DaemonStart } from './start-daemon.ts';
