/**
 * What Drover preloads into a worker (`--require`): bundled to one CommonJS file, without dependencies. It loads
 * nothing that the app may not need, and does nothing at all in a process that is not a worker: a fork of the app, a
 * thread, a wrapper such as npm.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type * as Threads from 'node:worker_threads';
import { ENVELOPE_CMD, type AgentBoot, type DaemonMessage, type Envelope } from '../protocol/agent.ts';
import { hasLoaded, type NetModule } from '../runtime/index.ts';
import { Agent } from './agent.ts';
import { Branches } from './branches.ts';
import { forgetBoot, hidePreload, readBoot, verifyDescriptor } from './boot.ts';
import { openChannelLink } from './channel-link.ts';
import type { Link } from './link.ts';
import { MeetingPoint } from './meeting-point.ts';
import { OutputGuard } from './output-guard.ts';
import { openSocketLink, type SocketLink } from './socket-link.ts';
import { speakForThread } from './thread-drops.ts';
import { isWatchdogOrder, runWatchdog } from './watchdog-thread.ts';

/** Loaded in threads alone; asking `worker_threads` would load it in every worker. */
const THREAD_MAIN = 'internal/process/worker_thread_only';
const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';

function main(): void {
  const boot = readBoot(process.env);
  if (boot === null) {
    // A thread of the app has the preload in its own options, and writes to the same files.
    if (hasLoaded(THREAD_MAIN)) {
      const { workerData } = require('node:worker_threads') as { readonly workerData: unknown };
      if (isWatchdogOrder(workerData)) return runWatchdog(workerData);
      OutputGuard.install(speakForThread);
    }
    return hidePreload(process.execArgv, process.env, __filename);
  }
  const output = OutputGuard.install();
  if (isClusterWorker()) startAsBranch(boot, output);
  else if (boot.wrapped) {
    const meeting = new MeetingPoint(boot);
    const branches = new Branches(boot, __filename);
    beforeFirstListen(() => startBehindWrapper(boot, branches, output, meeting), true);
  } else {
    forgetBoot(process.env);
    const fd = verifyDescriptor(boot.channel);
    // A thread has a copy of the environment from which the main thread has already removed this.
    if (fd !== null) startOnChannel(boot, fd, output);
  }
}

function startOnChannel(boot: AgentBoot, fd: number, output: OutputGuard | null): void {
  hidePreload(process.execArgv, process.env, __filename);
  let channel: Link | null = null;
  /** Where the channel leads nowhere: the daemon's end died with a daemon, and no other one could get hold of it. */
  let bypass: SocketLink | null = null;
  const relay: Link = {
    send: (message) => (bypass ?? channel)?.send(message) ?? false,
    doubt: () => {
      // `drover run` has no other way, and is there as long as its workers are.
      if (boot.peer !== null) bypass ??= openSocketLink(boot.socketPath, events);
    },
    share: (beat) => channel?.share?.(beat),
  };
  const agent = new Agent(boot, relay, new Branches(boot, __filename), output, new MeetingPoint(boot));
  const events = {
    onMessage: (...args: Parameters<Agent['receive']>) => agent.receive(...args),
    onOpen: () => agent.connected(),
  };
  const onChannel: typeof events.onMessage = (...args) => {
    // Somebody is there after all, and was only slow.
    const wasDoubted = bypass !== null;
    bypass?.close();
    bypass = null;
    if (wasDoubted) agent.connected();
    events.onMessage(...args);
  };
  channel = openChannelLink(fd, onChannel, () => {
    // `drover run` is gone, and nobody comes back: what it ran in the foreground ends with it.
    if (boot.peer === null) process.kill(process.pid, 'SIGTERM');
    else bypass ??= openSocketLink(boot.socketPath, events);
  });
  agent.hello();
  beforeFirstListen((net) => agent.hook(net));
}

/**
 * The process listens on a port, so it is the app and not one of the wrappers around it, which only pass this preload
 * on. Wrappers (tsx is one) listen on Unix paths, to talk with what they started.
 */
function startBehindWrapper(
  boot: AgentBoot,
  branches: Branches,
  output: OutputGuard | null,
  meeting: MeetingPoint,
): void {
  if (!isMainThread()) return;
  forgetBoot(process.env);
  hidePreload(process.execArgv, process.env, __filename);
  let link: SocketLink | null = null;
  const agent = new Agent(
    { ...boot, shards: [] },
    {
      send: (message) => link?.send(message) ?? false,
      doubt: () => undefined,
      share: (beat) => link?.share?.(beat),
    },
    branches,
    output,
    meeting,
  );
  link = openSocketLink(boot.socketPath, {
    onMessage: (message, handle) => agent.receive(message, handle),
    onOpen: () => agent.connected(),
  });
  agent.hook(loadNet());
}

/** A worker of the app's own node:cluster: its parent listens, and speaks for it. */
function startAsBranch(boot: AgentBoot, output: OutputGuard | null): void {
  forgetBoot(process.env);
  hidePreload(process.execArgv, process.env, __filename);
  // A thread has the boot in its copy of the environment.
  if (!isMainThread()) return;
  const agent = new Agent(
    { ...boot, acceptAtOnce: false },
    {
      send: (message) => {
        if (!process.connected) return false;
        return process.send?.({ cmd: ENVELOPE_CMD, m: message }, undefined, undefined, () => undefined) ?? false;
      },
      doubt: () => undefined,
    },
    null,
    output,
    new MeetingPoint(boot),
  );
  process.on('internalMessage' as 'message', (envelope) => {
    const { cmd, m } = envelope as Envelope<DaemonMessage>;
    if (cmd === ENVELOPE_CMD) agent.receive(m, null);
  });
  agent.hello();
  beforeFirstListen((net) => agent.observe(net));
}

/** Calls back within the first `listen` of this process, when `net` has been loaded anyway. */
function beforeFirstListen(then: (net: NetModule) => void, onlyPorts = false): void {
  // Node 20 has had the channel only since one of its minor versions.
  if (process.versions.node.startsWith('20.')) return beforeFirstListen2(loadNet(), then, onlyPorts);
  const onListen = (message: unknown): void => {
    if (onlyPorts && (message as ListenMessage).options.path !== undefined) return;
    unsubscribe(LISTEN_CHANNEL, onListen);
    then(loadNet());
  };
  subscribe(LISTEN_CHANNEL, onListen);
}

interface ListenMessage {
  readonly options: { readonly path?: string };
}

function beforeFirstListen2(net: NetModule, then: (net: NetModule) => void, onlyPorts: boolean): void {
  const { prototype } = net.Server;
  const original = prototype._listen2;
  prototype._listen2 = function _listen2(...args) {
    const isPath = args[1] === -1 && args[2] === -1;
    if (onlyPorts && isPath) return original.apply(this, args);
    prototype._listen2 = original;
    then(net);
    this._listen2(...args);
  };
}

function loadNet(): NetModule {
  return require('node:net') as NetModule;
}

function isMainThread(): boolean {
  return (require('node:worker_threads') as typeof Threads).isMainThread;
}

/** Node loads `cluster` in its workers before any of our code; elsewhere it is not worth loading. */
function isClusterWorker(): boolean {
  return process.send !== undefined && (require('node:cluster') as { readonly isWorker: boolean }).isWorker;
}

main();
