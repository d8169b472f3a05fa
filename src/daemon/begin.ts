/**
 * What systemd starts: the installed program, which goes on as the one that the home's daemon is to run from
 * (`program/decide.ts`), in the same process. A command decides the same before it starts a daemon; one of them at a time.
 */
import { join } from 'node:path';
import { createClient, isAnswering, makeHome, ownHome } from '../client/index.ts';
import { setCloexec } from '../os/index.ts';
import { DroverError, messageOf } from '../protocol/index.ts';
import {
  commandOf,
  DAEMON_ENVIRONMENT,
  decide,
  installedProgram,
  isSameProgram,
  takeStartLock,
  type Decision,
} from '../program/index.ts';
import { definedOf } from './defined-of.ts';
import { findServiceManager } from './service-manager/environment.ts';

/** What systemd hands over begins here (sd_listen_fds(3)). */
const FIRST_FD = 3;
/** What a command may need for a copy, a self-test and two starts. systemd waits 90 s for the daemon. */
const PATIENCE_MS = 60_000;

const { env, pid } = process;
const { home } = ownHome();

const note = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

/** Descriptors that it hands over. */
const handed = env['LISTEN_PID'] === String(pid) ? Number(env['LISTEN_FDS']) || 0 : 0;
/** What it had kept: the daemon was there already. */
const isRecovery = handed > 0 && findServiceManager(env, pid) !== null;

const decideFor = async (isBack: boolean): Promise<Decision> =>
  decide({ home, stateFile: join(home, 'state.db'), isRecovery: isBack, nowMs: Date.now() });

/**
 * Held on as this process becomes the daemon, which leaves it when it serves. Where a command has started one meanwhile, the
 * home is taken, as the daemon will find; nothing new is tried beside it, nor beside a command that does not come to an end.
 */
const isAlone = async (): Promise<boolean> => {
  const turn = await takeStartLock(home, { isServed: () => isAnswering(createClient()), patienceMs: PATIENCE_MS });
  return turn.kind === 'taken';
};

const decided = async (): Promise<Decision> => {
  try {
    const mayTry = await isAlone();
    return await decideFor(isRecovery || !mayTry);
  } catch (error) {
    // What is installed is older than what served last. Nobody is there to choose, and that one goes on if it can.
    note(messageOf(error));
    return decideFor(true);
  }
};

try {
  makeHome(home);
} catch (error) {
  note(messageOf(error));
  process.exit(error instanceof DroverError ? error.exitCode : 1);
}
const decision = await decided();
const { program } = decision;
if (decision.kind === 'run') {
  if (decision.note !== null) note(decision.note);
  if (decision.inPlace !== null) env['DROVER_IN_PLACE'] = decision.inPlace;
}
if (!isSameProgram(program, installedProgram()) && typeof process.execve === 'function') {
  for (let fd = FIRST_FD; fd < FIRST_FD + handed; fd += 1) setCloexec(fd, false);
  const [file, ...args] = commandOf(program);
  process.execve(file, [file, ...args], { ...definedOf(env), ...DAEMON_ENVIRONMENT });
}
await import('./main.ts');
