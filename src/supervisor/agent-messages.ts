/** What each message of an agent means for its tenant. One function per message; decisions stay in `core/`. */
import { readVariable } from '../os/index.ts';
import { AGENT_PROTOCOL, SPAWN_VARIABLE, type AgentMessage, type AgentReport } from '../protocol/index.ts';
import type { LinkListener } from './agent-link.ts';
import { parseAgentMessage } from './agent-schema.ts';
import { endLogDrops, noteLogDrops } from './log-drops.ts';
import { moveOntoShards } from './own-sockets.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

type Receivers = {
  readonly [Type in AgentMessage['type']]: (
    tenant: Tenant,
    handle: WorkerHandle,
    message: Extract<AgentMessage, { type: Type }>,
  ) => void;
};

const RECEIVERS: Receivers = {
  hello(tenant, handle, message) {
    handle.isAgentHere = true;
    handle.agentProtocol = message.v;
    handle.isLeaving = message.phase === 'draining';
    if (handle.acceptsByItself) {
      // What was seen from outside was not the agent's process, which has only now begun to listen.
      handle.acceptsByItself = false;
      handle.isAccepting = false;
      handle.servers.clear();
    }
    // What listens already has spoken before, to an earlier daemon: it need not wait for `stableFor` once more.
    const listeningMs = Math.max(0, ...message.servers.map((server) => server.listeningMs ?? 0));
    handle.helloAt ??= handle.timeBefore(tenant.at, listeningMs);
    // Descriptors are taken from this process: it must be one of the worker's.
    if (isOfWorker(message.pid, handle)) hearProcess(tenant, handle, message.pid);
    else reportGarbage(tenant, handle, `pid ${message.pid} is none of this worker`);
    handle.nodeVersion ??= message.node.replace(/^v/, '');
    if (message.signalledReady) handle.signalledReadyAt ??= handle.timeBefore(tenant.at, message.signalledReadyMs);
    takeReport(tenant, handle, message.report);
    handle.link?.send({ type: 'ack', seq: message.report.seq });
    tenant.host.desk.restoreServers(tenant, handle, message.servers);
    if (handle.isLeaving) withdraw(tenant, handle);
    else moveOntoShards(tenant, handle);
    if (handle.isAccepting) handle.link?.send({ type: 'accept' });
    tenant.host.onHello(tenant, handle);
    tenant.checkReadiness();
    // Another process behind the same wrapper, after the one before it ended.
    if (tenant.state.phase === 'running' && !tenant.isReplacement) tenant.accept();
  },

  listen(tenant, handle, message) {
    tenant.host.desk.answer(tenant, handle, message);
  },

  listening(tenant, handle, message) {
    const server = handle.servers.get(message.id);
    if (server === undefined) tenant.host.desk.noteListening(tenant, handle, message);
    else server.since ??= tenant.at;
    // It went on with another one.
    handle.portTaken = null;
    if (handle.isAccepting) tenant.host.desk.attach(tenant, handle);
    tenant.step({ type: 'listening', at: tenant.at, generation: handle.generation });
    tenant.checkReadiness();
    tenant.watchLateListener(handle);
  },

  bound(tenant, handle, message) {
    tenant.host.desk.adopt(tenant, handle, message);
    tenant.checkReadiness();
  },

  closed(tenant, handle, message) {
    const key = handle.servers.get(message.id)?.key ?? null;
    handle.servers.delete(message.id);
    if (handle.isAccepting) tenant.host.desk.attach(tenant, handle);
    tenant.host.onServerClosed(tenant, key);
  },

  ready(tenant, handle) {
    handle.signalledReadyAt ??= tenant.at;
    tenant.host.onReadySignal(tenant);
    tenant.checkReadiness();
  },

  report(tenant, handle, message) {
    takeReport(tenant, handle, message.report);
    handle.link?.send({ type: 'ack', seq: message.report.seq });
    if (message.replyTo !== null) handle.answerReport(message.replyTo);
    tenant.host.desk.reportLoad(handle);
  },

  draining(tenant, handle, message) {
    handle.isLeaving = true;
    takeReport(tenant, handle, message.report);
    withdraw(tenant, handle);
    tenant.host.onTenantChanged(tenant);
  },

  drained(tenant, handle, message) {
    handle.drain = message.summary;
    takeReport(tenant, handle, message.report);
    tenant.step({ type: 'drained', at: tenant.at, generation: handle.generation });
  },

  message() {
    // Messages between apps come with the messaging issue; until then they have no receiver.
  },

  pong(tenant, handle, message) {
    tenant.host.onPong(tenant, handle, message.id);
  },

  blocked(tenant, handle, message) {
    tenant.host.onBlocked(tenant, handle, message.block);
  },

  metrics(_tenant, handle, message) {
    handle.answer(message.id, message);
  },

  routes(_tenant, handle, message) {
    handle.answer(message.id, message);
  },

  recovered(_tenant, handle, message) {
    handle.answer(message.id, message);
  },

  exit(tenant, handle, message) {
    handle.exitWord = { code: message.code, reason: message.reason };
    takeReport(tenant, handle, message.report);
  },
};

/** Siblings accept in its place. */
const withdraw = (tenant: Tenant, handle: WorkerHandle): void => {
  handle.isAccepting = false;
  tenant.host.desk.detach(handle);
};

/** A wrapper may have started the app anew: what the process before had counted stays the worker's. */
const hearProcess = (tenant: Tenant, handle: WorkerHandle, pid: number): void => {
  if (handle.isOtherProcess(pid)) {
    endLogDrops(tenant, handle);
    handle.endProcess();
  }
  handle.nameProcess(pid);
  handle.agentPid = pid;
};

const takeReport = (tenant: Tenant, handle: WorkerHandle, report: AgentReport): void => {
  handle.addReport(report);
  noteLogDrops(tenant, handle);
  tenant.host.onReport(tenant, handle);
};

/** Its own process, or one that it started: behind wrappers the app is a descendant. */
export const isOfWorker = (pid: number, handle: WorkerHandle): boolean =>
  pid === handle.pid || readVariable(pid, SPAWN_VARIABLE) === handle.spawnId;

/** What a worker may have said before it ended, and is read after. */
const LAST_WORDS: ReadonlySet<AgentMessage['type']> = new Set(['report', 'draining', 'drained', 'exit']);

export const receiveMessage = (tenant: Tenant, handle: WorkerHandle, raw: unknown): void => {
  const parsed = parseAgentMessage(raw);
  if (parsed.message === null) {
    // A later agent, of a Drover that was put back, has more to say than is understood here.
    if (parsed.isUnknown && handle.agentProtocol > AGENT_PROTOCOL) return;
    reportGarbage(tenant, handle, parsed.problem);
    return;
  }
  // A message of a process that the slot no longer has: its accounts are closed.
  if (tenant.handle !== handle) return;
  if (handle.pid === null && !LAST_WORDS.has(parsed.message.type)) return;
  const receive = RECEIVERS[parsed.message.type] as (
    tenant: Tenant,
    handle: WorkerHandle,
    message: AgentMessage,
  ) => void;
  receive(tenant, handle, parsed.message);
};

/** Of a worker's own channel, whose end says nothing: the process's does. */
export const channelListener = (tenant: Tenant, handle: WorkerHandle): LinkListener => ({
  onMessage: (message) => tenant.receive(handle, message),
  onGarbage: (detail) => reportGarbage(tenant, handle, detail),
  onClose: () => {},
});

/** Said once per process: an agent that floods with garbage must not fill the events as well. */
export const reportGarbage = (tenant: Tenant, handle: WorkerHandle, problem: string): void => {
  if (handle.hasSentGarbage) return;
  handle.hasSentGarbage = true;
  tenant.host.edges.records.events.append({
    app: tenant.host.app,
    worker: tenant.id,
    type: 'defect',
    reason: `The worker sent a message that is none: ${problem}`,
  });
};
