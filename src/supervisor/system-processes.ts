/** The processes of this machine. */
import { closeSync } from 'node:fs';
import { classifyExit } from '../core/index.ts';
import {
  descendants,
  exitOf,
  findMarked,
  listeningSockets,
  oomKills,
  openChannelPair,
  readStat,
  readVariable,
  startTicks,
  takeDescriptor,
  unixRows,
  watchExit,
} from '../os/index.ts';
import { SPAWN_VARIABLE } from '../protocol/index.ts';
import { openChannelLink } from './agent-link.ts';
import { launch } from './launch.ts';
import type { Processes } from './processes.ts';
import { readBoot } from './read-boot.ts';
import { findStrays } from './strays.ts';
import { takeListeners } from './take-listeners.ts';
import { signalTree, signalWorker, sweepTree } from './worker-signals.ts';

/** The worker's copy of our end of the channel, by its number in every worker (`launch.ts`). */
const PEER_FD_IN_WORKER = 4;

/** The daemon lives that the process was told of at its start, and it is not this one. */
const hasOtherDaemon = (pid: number, socketPath: string): boolean => {
  const told = readBoot(pid)?.socketPath;
  return told !== undefined && told !== socketPath && unixRows().some((row) => row.isListening && row.path === told);
};

export const systemProcesses: Processes = {
  start(request, listener) {
    const channel = request.command.agentAt === null ? null : openChannelPair();
    try {
      const child = launch({ ...request, channel });
      const { pid } = child;
      return {
        pid: pid ?? null,
        startTicks: pid === undefined ? 0 : (startTicks(pid) ?? 0),
        link: channel === null ? null : openChannelLink(channel.daemonFd, listener),
        onEnd: (told) => void child.once('exit', told),
        onFailure: (told) => void child.once('error', ({ message }) => told(message)),
      };
    } catch (error) {
      if (channel !== null) closeSync(channel.daemonFd);
      throw error;
    } finally {
      if (channel !== null) closeSync(channel.workerFd);
    }
  },

  find: findMarked,
  findStrays,

  observe(record, { bootId, socketPath }) {
    const stat = record.bootId === bootId ? readStat(record.pid) : null;
    const isZombie = stat?.state === 'Z';
    const mark = stat === null ? null : readVariable(record.pid, SPAWN_VARIABLE);
    const status = isZombie && stat.startTicks === record.startTicks ? exitOf(record.pid, null) : null;
    return {
      isAlive: stat !== null,
      isZombie,
      startTimeTicks: stat?.startTicks ?? null,
      bootId,
      hasSpawnMark: mark === null ? null : mark === record.spawn,
      isElsewhere: stat !== null && hasOtherDaemon(record.pid, socketPath),
      exit: status === null ? null : classifyExit({ ...status, wasOomKilled: false, detail: null }),
    };
  },

  regainLink(pid, kept, listener) {
    if (kept !== null) return openChannelLink(kept, listener);
    try {
      return openChannelLink(takeDescriptor(pid, PEER_FD_IN_WORKER), listener);
    } catch {
      // Refused here: the agent may come by the socket; one that stays silent is replaced.
      return null;
    }
  },

  watchEnd: (pid, told) => void watchExit(pid, (status) => told(status?.code ?? null, status?.signal ?? null)),
  signal: signalWorker,
  signalTree,
  sweep: sweepTree,
  listeners: (handle) => listeningSockets(descendants(handle.firstPid, handle.spawnId)),
  bootAddresses: ({ pid }) => (pid === null ? [] : (readBoot(pid)?.shards ?? []).map(({ address }) => address)),
  takeListeners,
  oomKills,
};
