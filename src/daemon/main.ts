/**
 * The daemon: one process per home. Opens everything, takes back what an earlier daemon left, serves the API, and ends
 * on SIGTERM or when asked to. Started by the CLI, by a guard, or by systemd (docs/internals/boot.md).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ApiServer, serveApi } from '../api/index.ts';
import { makePlaceOf, ownHome } from '../client/index.ts';
import { peerOf } from '../os/index.ts';
import { COPY_FILE, leaveStartLock, noteProblem, ownProgram, restoreCopy, settlePending } from '../program/index.ts';
import { DroverError, type Clock, type DispatchLevel, type UpgradeDocument, messageOf } from '../protocol/index.ts';
import { describeApp } from '../supervisor/index.ts';
import { compose } from './compose.ts';
import { inRequest } from './correlate-events.ts';
import { sendAway, type Guard, type KeptDescriptor } from './guard.ts';
import { findKeeping } from './keeping.ts';
import { forgetPid, notePid, writePid } from './pid-file.ts';
import { followStatus } from './service-manager/follow-status.ts';
import { statusLine } from './service-manager/status-line.ts';
import { watchHome } from './home-watch.ts';
import { findOwnLog, log, neededLog, reopenIfGone } from './own-log.ts';
import { beginOrEnd, openOrExplain, refuseSecond } from './second-daemon.ts';
import { Ending } from './ending.ts';
import { dieAtStep } from './die-at-step.ts';
import { staySmall } from './stay-small.ts';
import { become } from './upgrade/become.ts';
import { collectChildren } from './upgrade/inherited-children.ts';
import { hasComeBack, isOnTrial, settleProgram, tidyLater } from './upgrade/settle.ts';
import { openUpgrades, type Upgrades } from './upgrade/upgrade.ts';

const systemClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Between daemons that die one after the other. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Ends like `daemon stop --keep-workers`, to be started again: sent by `systemctl restart` (the unit says so). With this
 * exit code systemd starts a daemon also when it was not asked to.
 */
const RESTART_SIGNAL = 'SIGUSR2';
const RESTART_EXIT = 85;

const main = async (): Promise<void> => {
  staySmall();
  const { home, servePath: socketPath, usualPath } = ownHome();
  const keeping = findKeeping(process.env, process.pid);
  const { inherited, link, handedGuard } = keeping;
  const own = ownProgram();
  const pidFile = join(home, 'daemon.pid');
  const stateFile = join(home, 'state.db');
  const onStep = dieAtStep(process.env['DROVER_DIE_AT']);
  const ending = new Ending();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.ask(false));
  // Without a service manager nobody would start it again.
  if (link !== null) process.on(RESTART_SIGNAL, () => ending.ask(true, RESTART_EXIT));
  // The terminal that started us may close.
  process.on('SIGHUP', () => {});
  let hasServed = false;
  let kept: () => readonly KeptDescriptor[] = keeping.unsorted;
  /** Held as well, from the moment in which this process is to become another program. */
  const handedOn: KeptDescriptor[] = [];
  const holdings = { list: () => [...kept(), ...handedOn], hasServed: () => hasServed };
  let lastUpgrade: UpgradeDocument | null = null;
  let upgrades: Upgrades | null = null;
  const ownLog = findOwnLog(home);
  if (ownLog !== null) reopenIfGone(ownLog);
  onStep?.('boot-began');
  // A daemon that was brought back has something to lose from its first moment on; a new one only once it is up.
  // A service manager is told of each start: one that fails must not be tried again without a pause.
  // A program that another one became has the guard of that one until it serves.
  let guard: Guard | null = handedGuard ?? (inherited.isRecovery || link !== null ? keeping.open(holdings) : null);

  // The guard that keeps everything is there already: a daemon that dies at its start may take its time to try again.
  if (inherited.deaths > 0) {
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (inherited.deaths - 1));
    link?.status(`waits ${waitMs / 1000} s before it tries again; starts that failed so far: ${inherited.deaths}`);
    await Promise.race([wait(waitMs), ending.asked]);
  }
  link?.status('starting');

  const beginning = {
    home,
    stateFile,
    pidFile,
    get guard() {
      return guard;
    },
    isEndAsked: () => ending.isAsked,
  };
  await refuseSecond(beginning);
  const drover = await openOrExplain(beginning, async () =>
    compose({
      home,
      stateFile,
      clock: systemClock,
      inherited,
      broughtBackBy: keeping.broughtBackBy,
      keepsWorkers: true,
      level: forcedLevel(process.env['DROVER_DISPATCH']),
      onDescriptorsChanged: () => guard?.refresh(),
      onShutdown: (keepWorkers) => setImmediate(() => ending.ask(keepWorkers)),
      onUpgrade: async (program) => {
        if (ending.hasBegun) throw new DroverError('DROVER_DAEMON_ENDING');
        if (upgrades === null) throw new DroverError('DROVER_UPGRADE_IMPOSSIBLE', { message: 'it has only begun' });
        return upgrades.begin(program);
      },
      lastUpgrade: () => lastUpgrade,
      goesBack: hasComeBack(home, own),
      guardPid: () => guard?.pid ?? null,
      unit: link?.unit ?? null,
      log,
      ...(onStep === null ? {} : { onStep }),
    }),
  );
  onStep?.('boot-opened');
  if (inherited.handed.size > 0) collectChildren(new Set(drover.store.workers.list().map(({ pid }) => pid)));
  notePid(pidFile, log);
  kept = () => drover.kept();
  // Who tries this program watches it, and starts another one where it does not come up.
  if (!isOnTrial(home, own)) guard ??= keeping.open(holdings);
  // A program that another one became says so when it serves (`upgrade/settle.ts`).
  if (inherited.handed.size === 0) {
    drover.store.events.append({
      app: null,
      type: inherited.isRecovery ? 'daemon-recovered' : 'daemon-started',
      reason: inherited.isRecovery ? `${keeping.broughtBackBy} brought it back` : null,
      data: { pid: process.pid },
    });
  }
  const serve = async (): Promise<ApiServer> => {
    drover.recover();
    onStep?.('boot-recovered');
    makePlaceOf(socketPath, 0o700);
    return serveApi({
      service: drover.service,
      socketPath,
      inherited: inherited.handed.get('api') ?? null,
      version: own.version,
      callerOf: peerOf,
      notice: drover.notice,
      within: inRequest,
      onDefect: (error) => log(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      ...(onStep === null ? {} : { onStep }),
    });
  };
  const api = await beginOrEnd(beginning, serve, () => drover.stopWorkers());
  if (socketPath !== usualPath) {
    // One that a daemon before left in the home; commands look there first once that can be written.
    drover.store.events.subscribe(({ type }) => {
      if (type === 'state-written') rmSync(usualPath, { force: true });
    });
  }
  const unwatch = watchHome(
    [
      // The first one: what is said of the others is to be found in it.
      ...(ownLog === null ? [] : [neededLog(ownLog, () => guard?.refresh())]),
      ...(own.isCopy
        ? [{ path: join(own.root, COPY_FILE), mode: 0o700, makeAgain: async () => restoreCopy(own) }]
        : []),
      { path: socketPath, mode: 0o700, makeAgain: () => api.listenAgain() },
      { path: pidFile, mode: 0o700, makeAgain: async () => writePid(pidFile) },
      ...drover.neededFiles,
    ],
    log,
  );
  hasServed = true;
  onStep?.('boot-served');
  if (handedGuard === null && guard !== null) guard.refresh();
  else guard = keeping.open(holdings);
  await handedGuard?.dismiss('workers-stay');
  const bootWatch = inherited.handed.get('boot-watch');
  if (bootWatch !== undefined) sendAway(bootWatch);
  lastUpgrade = settleProgram({ home, own, store: drover.store, clock: systemClock, log });
  // Held where a command or systemd has started this process (`program/start-lock.ts`).
  leaveStartLock(home);
  onStep?.('boot-settled');
  const untidy = tidyLater({ home, own, log, tested: () => upgrades?.tested ?? null });
  const inPlace = process.env['DROVER_IN_PLACE'];
  if (inPlace !== undefined && !own.isCopy) log(`it runs from where it is installed (${own.root}): ${inPlace}`);
  const keeper = guard;
  upgrades = openUpgrades({
    home,
    own,
    store: drover.store,
    clock: systemClock,
    onStep: (step) => onStep?.(step),
    become: async (program) =>
      ending.become(async () => {
        log(`becomes ${program.version}`);
        untidy();
        unfollow();
        // Without an API it would be of no use: its guard brings it back as it was.
        const failed = (error: unknown): void => {
          log(`it could not become ${program.version}: ${messageOf(error)}`);
          process.kill(process.pid, 'SIGKILL');
        };
        await become(program, {
          api,
          link,
          guard: keeper,
          kept: () => drover.kept(),
          hold: (descriptor) => void handedOn.push(descriptor),
          closeState: () => drover.store.close(),
          isCalledOff: () => ending.isAsked,
          onStep: (step) => onStep?.(step),
        }).catch(failed);
        settlePending(home);
      }),
  });
  log(`daemon ${process.pid} serves ${home}`);
  const describe = (): string => statusLine(drover.supervisor.apps.map(describeApp));
  link?.ready(describe());
  const unfollow = link === null ? () => {} : followStatus(drover.store, () => link.status(describe()));

  ending.begin(async (keepWorkers, exitCode) => {
    untidy();
    log(`ending, workers ${keepWorkers ? 'stay' : 'stop'}`);
    unfollow();
    unwatch();
    if (!keepWorkers) api.refuseChanges();
    link?.stopping(keepWorkers ? 'ending; workers stay' : `stopping ${describe()}`);
    drover.store.events.append({ app: null, type: 'daemon-stopping', reason: keepWorkers ? 'workers stay' : null });
    try {
      await guard?.dismiss(keepWorkers ? 'workers-stay' : 'stopped');
      if (!keepWorkers) await drover.stopWorkers();
      await api.close({ isFollowedByNext: keepWorkers });
      await drover.close();
      forgetPid(pidFile, log);
      process.exit(exitCode);
    } catch (error) {
      // Whatever went wrong, who asked for the end must not wait for ever; workers that are left are adopted next time.
      log(`defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exit(1);
    }
  });
  process.on('uncaughtException', (error) => log(`defect: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (error) => log(`defect: ${String(error)}`));
};

/** For whoever goes on in its place, if it was being tried: one that found the home taken was not. */
const noteFailure = (error: unknown, said: string): void => {
  if (error instanceof DroverError && error.code === 'DROVER_DAEMON_RUNNING') return;
  try {
    noteProblem(ownHome().home, ownProgram().root, said);
  } catch {
    // The disk does not take it; the log has it.
  }
};

const forcedLevel = (text: string | undefined): DispatchLevel | null =>
  text === 'exact' || text === 'classic' || text === 'shared' ? text : null;

try {
  await main();
} catch (error) {
  const said = error instanceof DroverError ? error.message : `the daemon did not start: ${String(error)}`;
  log(said);
  noteFailure(error, said);
  process.exit(error instanceof DroverError ? error.exitCode : 1);
}
