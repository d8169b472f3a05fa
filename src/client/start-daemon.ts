/**
 * Starts the daemon and waits until it answers: from its copy under the home, and where a new version does not come up,
 * from the one before (`program/decide.ts`). One command at a time (`program/start-lock.ts`): the others wait for what
 * comes of it.
 */
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decide, installedProgram, takeStartLock, withdrawPending, type Decision } from '../program/index.ts';
import { DroverError } from '../protocol/index.ts';
import { readBootUnit } from './boot-unit.ts';
import { createClient, type ClientOptions, type DroverClient } from './client.ts';
import { isReadOnly, ownHome } from './home.ts';
import { describeHomeProblem } from './home-problem.ts';
import { isAnswering } from './is-answering.ts';
import { launchDaemon, type Launch } from './launch-daemon.ts';
import { makePlaceOf } from './runtime-directory.ts';
import { startBootUnit } from './start-boot-unit.ts';

export interface DaemonStart {
  /** What to run with this process's Node, as it is; default: this Drover's daemon, from its copy under the home. */
  readonly entry?: string;
  readonly timeoutMs?: number;
}

/** It needs a third of a second of a core, which a machine that is loaded many times over may take its time to give. */
const ANSWER_WAIT_MS = 40_000;
/** Twice what the daemon leaves in its log. */
const MOST_BYTES_KEPT = 20 * 1024 ** 2;
const STAT_BLOCK_BYTES = 512;
/** What another command may need for a copy and a self-test, beside two starts. */
const PREPARING_MS = 45_000;

/**
 * Resolves when the daemon answers. Throws DROVER_DAEMON_START with the end of its log when it does not come up,
 * DROVER_HOME_UNUSABLE or DROVER_NOT_ALLOWED where it cannot have its home, and DROVER_DOWNGRADE.
 */
export const startDaemon = async (
  home: string,
  client: DroverClient,
  options: DaemonStart & Pick<ClientOptions, 'onNotice'>,
): Promise<void> => {
  const { runtimePath } = ownHome();
  const isFixed = isReadOnly(home);
  const log = isFixed ? runtimePath('log') : join(home, 'daemon.log');
  const fail = (message: string): DroverError => new DroverError('DROVER_DAEMON_START', { message, log });
  try {
    makePlaceOf(log, 0o700);
    closeSync(openSync(log, 'a', 0o600));
  } catch (cause) {
    if (cause instanceof DroverError) throw cause;
    throw describeHomeProblem(isFixed ? dirname(log) : home, cause);
  }
  const timeoutMs = options.timeoutMs ?? ANSWER_WAIT_MS;
  const unit = readBootUnit(home);
  // Where systemd does not start it (a container with a copied home), the reason is best told by a start of our own.
  // One of another environment answers elsewhere, where a home's path leaves no room for its socket.
  const isServed = async (): Promise<boolean> => (await isAnswering(client)) || isAnswering(createClient());
  if (unit !== null && (await startBootUnit(unit, timeoutMs)) && (await isServed())) return;
  const patienceMs = PREPARING_MS + 2 * timeoutMs;
  const turn = await takeStartLock(home, {
    isServed,
    patienceMs,
    onWait: (pid) => options.onNotice?.(`Another command (pid ${pid}) is starting the daemon; this one waits for it.`),
  });
  if (turn.kind === 'served') return;
  if (turn.kind === 'held') throw fail(`process ${turn.pid} has been starting it for ${patienceMs / 1000} s.`);
  const { lock } = turn;
  try {
    setAside(log);
    const launch = { home, client, log, timeoutMs, fail, onStarted: (pid: number) => lock.share(pid) };
    await carryOut(await decideOn(home, options), launch, options.onNotice);
  } finally {
    lock.leave();
  }
};

const decideOn = async (home: string, { entry }: DaemonStart): Promise<Decision> => {
  if (entry === undefined) {
    return decide({ home, stateFile: join(home, 'state.db'), isRecovery: false, nowMs: Date.now() });
  }
  return { kind: 'run', program: { ...installedProgram(), main: entry }, inPlace: null, note: null };
};

const carryOut = async (decision: Decision, launch: Launch, onNotice: ClientOptions['onNotice']): Promise<void> => {
  if (decision.kind === 'run') {
    const { program, inPlace, note } = decision;
    if (note !== null) onNotice?.(`${note}.`);
    await launchDaemon(program, { inPlace, endsLate: false }, launch);
    return;
  }
  const { program, over, id } = decision;
  // Where a guard has brought back a daemon meanwhile, which does not end what it knows nothing of.
  const withdrawUnlessTried = (end: 'serves' | 'another-serves'): void => {
    if (end === 'another-serves') withdrawPending(launch.home, id);
  };
  try {
    withdrawUnlessTried(await launchDaemon(program, { inPlace: null, endsLate: true }, launch));
  } catch (error) {
    onNotice?.(`Drover ${program.version} did not come up, ${over.version} goes on: ${(error as Error).message}`);
    withdrawUnlessTried(await launchDaemon(over, { inPlace: null, endsLate: false }, launch));
  }
};

/**
 * The daemon rotates its log in place. Where the file system cannot do that it has grown, and this, before a daemon has
 * it open, is the moment to begin a new one.
 */
const setAside = (log: string): void => {
  const stat = statSync(log, { throwIfNoEntry: false });
  if (stat !== undefined && stat.blocks * STAT_BLOCK_BYTES > MOST_BYTES_KEPT) renameSync(log, `${log}.old`);
};
