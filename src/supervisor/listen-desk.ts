/**
 * Where workers of one app ask for ports. Answers each `listen` with the slot's shard (or with the kernel's refusal),
 * knows what every worker listens on, and learns which ports the app serves, so that its next workers are expected to.
 */
import type { ExpectedPort } from '../core/index.ts';
import { closeDescriptor, isListening, socketAddress, takeDescriptor } from '../os/index.ts';
import {
  type AgentMessage,
  type ListenAddress,
  type ListenRequest,
  messageOf,
  type PortRecord,
  type ServerState,
} from '../protocol/index.ts';
import { anyAddress } from './any-address.ts';
import type { SupervisorEdges, TrafficPort } from './edges.ts';
import type { LaunchShard } from './launch.ts';
import { isTaken, MOST_SERVERS, refusalOf, TooManyServers } from './listen-refusal.ts';
import { RandomPorts } from './random-ports.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

type Message<Type extends AgentMessage['type']> = Extract<AgentMessage, { type: Type }>;

/** Refusals of one worker that become events; it may ask for ever. */
const MOST_REFUSALS_TOLD = 20;

export interface DeskFacts {
  readonly app: string;
  readonly uid: () => number | null;
  readonly sticky: () => boolean;
  readonly declaredPorts: () => readonly number[];
  /** Only workers of this app listen there, on sockets that nobody could take from them. */
  readonly isHeldByOwn: (address: ListenAddress) => boolean;
  /** The app is to be up: of another one nothing is to be opened again. */
  readonly isWanted: () => boolean;
  /** Takes back from the app's workers what listens there, if they have it; returns how many sockets. */
  readonly regain: (address: ListenAddress, from?: WorkerHandle) => number;
}

export class ListenDesk {
  readonly #edges: SupervisorEdges;
  readonly #facts: DeskFacts;
  readonly #random = new RandomPorts();

  constructor(edges: SupervisorEdges, facts: DeskFacts) {
    this.#edges = edges;
    this.#facts = facts;
  }

  /**
   * Opens what the app served before. Throws DROVER_PORT_TAKEN naming the holder; a port that was chosen for `listen(0)` is
   * given up instead.
   */
  openKnownPorts(): void {
    for (const { address, randomIndex } of this.#edges.records.ports.list(this.#facts.app)) {
      if (randomIndex !== null && address.kind === 'tcp') this.#random.note(randomIndex, address.port);
      try {
        // Who calls wants the app up from now on.
        this.#open(address, true);
      } catch (error) {
        if (randomIndex === null || !this.#isReplaceable(address, error)) throw error;
        this.#giveUpRandom(address, error);
      }
    }
  }

  /** What a worker of this app must serve before it is ready. */
  expectedPorts(tenant: Tenant): readonly ExpectedPort[] {
    const declared = this.#facts.declaredPorts().map((number): ExpectedPort => ({
      label: `port ${number}`,
      matches: (_key, port) => port === number,
    }));
    const learned = this.#edges.records.ports.list(this.#facts.app);
    // Beside a port, a Unix path is often another one for each process.
    const ports = learned.filter(({ address }) => address.kind === 'tcp');
    const served = ports.length > 0 ? ports : learned;
    const own = served.filter(({ slots }) => slots.includes(tenant.slot));
    const common = served.filter(({ slots }) => slots.length !== 1);
    const expected = own.length > 0 ? own : common;
    // Some workers have ports that others have not: what one has held says only that another will listen somewhere.
    if (expected.length === 0 && learned[0] !== undefined) {
      return [...declared, { label: `a port such as ${labelOf(learned[0].address)}`, matches: () => true }];
    }
    return [...declared, ...expected.map(toExpected)];
  }

  /** The sockets that a new worker of this slot inherits: it listens on them without asking. */
  bootShards(tenant: Tenant, handle: WorkerHandle): readonly LaunchShard[] {
    return this.#edges.traffic.ports(this.#facts.app).map((port) => ({
      key: port.key,
      address: port.address,
      randomIndex: this.#randomIndexOf(port.address),
      fd: port.shard(tenant.slot).fd,
      privateFd: port.privateSocket(tenant.slot, handle.holderId)?.fd ?? null,
    }));
  }

  answer(tenant: Tenant, handle: WorkerHandle, { id, request, protocol }: Message<'listen'>): void {
    const address = this.#resolve(request);
    try {
      if (!hasRoom(handle, id)) throw new TooManyServers('one worker listens');
      const port = this.#openFor(request, address);
      this.#remember(handle, id, port, protocol);
      if (request.randomIndex !== null && port.address.kind === 'tcp') {
        this.#random.note(request.randomIndex, port.address.port);
      }
      this.#grant(tenant, handle, id, port);
    } catch (error) {
      this.#refuse(tenant, handle, id, address, error);
    }
  }

  /** The worker bound by itself: take a duplicate of its socket, so that the port outlives it. */
  adopt(tenant: Tenant, handle: WorkerHandle, { id, fd, address }: Message<'bound'>, pid = pidOf(handle)): void {
    const protocol = handle.servers.get(id)?.protocol ?? 'tcp';
    if (!hasRoom(handle, id)) return;
    let port = this.#find(address);
    try {
      const taken = takeListener(pid, fd, address);
      port = this.#edges.traffic.adoptPort({
        app: this.#facts.app,
        address,
        fd: taken,
        slot: tenant.slot,
        sticky: this.#facts.sticky(),
      });
    } catch (error) {
      // Refused here (containers' seccomp, another user): the port is known, and the next worker starts on a shard.
      this.#edges.records.events.append({
        app: this.#facts.app,
        worker: tenant.id,
        type: 'port-opened',
        reason: `${labelOf(address)} stays with the worker: its socket cannot be duplicated (${messageOf(error)})`,
      });
    }
    handle.servers.set(id, { id, key: port?.key ?? keyOf(address), address, protocol, since: tenant.at });
  }

  /** A worker that listens on a socket it inherited tells only the key. */
  noteListening(tenant: Tenant, handle: WorkerHandle, message: Message<'listening'>): void {
    const { id, key, protocol = 'tcp' } = message;
    const port = this.#edges.traffic.ports(this.#facts.app).find((each) => each.key === key);
    if (port === undefined || !hasRoom(handle, id)) return;
    handle.servers.set(id, { id, key: port.key, address: port.address, protocol, since: tenant.at });
  }

  /** What an agent that came back says it serves: the daemon may have been away. */
  restoreServers(tenant: Tenant, handle: WorkerHandle, servers: readonly ServerState[]): void {
    for (const server of servers) {
      if (server.address === null || !hasRoom(handle, server.id)) continue;
      // A key says that it was given the socket by a daemon, which may have died before anybody kept that.
      const isGiven = server.key !== null && !server.key.startsWith('own:');
      const port = this.#find(server.address) ?? (isGiven ? this.#findRegained(server.address) : null);
      handle.servers.set(server.id, {
        id: server.id,
        key: port?.key ?? this.#recordedKey(server.key, server.address) ?? keyOf(server.address),
        address: server.address,
        protocol: server.protocol,
        since: handle.servers.get(server.id)?.since ?? handle.timeBefore(tenant.at, server.listeningMs),
      });
      if (port !== null) this.#endCovers(handle, port, server.covers ?? []);
      if (server.accepting && !handle.isAccepting) {
        handle.isAccepting = true;
        this.attach(tenant, handle);
      }
    }
  }

  /** Who covers for whom is found out anew: a cover that this daemon knows nothing of would never end. */
  #endCovers(handle: WorkerHandle, port: TrafficPort, covered: readonly number[]): void {
    const view = this.#edges.traffic.view(this.#facts.app).find(({ key }) => key === port.key);
    // An agent that comes back to the same daemon covers as it was asked to.
    const isAsked = (slot: number): boolean =>
      view?.shards.some((shard) => shard.slot === slot && shard.coveredBy === handle.holderId) === true;
    const slots = covered.filter((slot) => !isAsked(slot));
    const unknown = slots.filter((slot) => !port.hasShard(slot));
    // Where nobody else has the shard any more, letting go of it would reset what waits there.
    const isSafe = unknown.length === 0 || this.#regain(port.address, handle) >= unknown.length;
    for (const slot of slots) {
      if (isSafe || !unknown.includes(slot)) handle.link?.send({ type: 'uncover', key: port.key, slot });
    }
  }

  /** Again whenever the ports that it listens on have changed. */
  attach(tenant: Tenant, handle: WorkerHandle): void {
    this.#edges.traffic.attach({
      id: handle.holderId,
      app: this.#facts.app,
      slot: tenant.slot,
      lane: handle.lane,
      pid: handle.agentPid ?? handle.pid,
      serves: (key) => handle.listening.some((server) => server.key === key),
      cover: (key, slot, fd) => handle.link?.send({ type: 'descriptor', role: 'cover', key, slot }, fd),
      uncover: (key, slot) => handle.link?.send({ type: 'uncover', key, slot }),
    });
  }

  detach(handle: WorkerHandle): void {
    this.#edges.traffic.detach(handle.holderId);
  }

  reportLoad(handle: WorkerHandle): void {
    const report = handle.lastReport;
    if (report === null || !handle.isAccepting) return;
    const { runtime } = report;
    this.#edges.traffic.reportLoad(this.#facts.app, handle.slot, handle.lane, {
      utilization: runtime.eventLoopUtilization,
      connections: runtime.openConnections,
      // Of the last second, not of the last ten: the queues are watched closely only while there is traffic.
      requestsPerSecond: handle.requestRate,
    });
  }

  /** The worker has held its ports for `stableFor`: they are what the app serves. */
  learn(handle: WorkerHandle): void {
    const known = this.#edges.records.ports.list(this.#facts.app);
    for (const server of handle.listening) {
      // A port that stays with its process cannot be opened for the next one.
      if (server.key.startsWith('own:')) continue;
      // Nor will the next one listen on a path that is named after this one.
      if (server.address.kind === 'unix' && server.address.path.includes(String(handle.agentPid))) continue;
      this.#edges.records.ports.put({
        app: this.#facts.app,
        key: server.key,
        address: server.address,
        declared: this.#isDeclared(server.address),
        randomIndex: this.#randomIndexOf(server.address),
        slots: [...new Set([...(known.find(({ key }) => key === server.key)?.slots ?? []), handle.slot])],
        protocol: server.address.kind === 'unix' ? 'unix' : server.protocol,
        firstHeldAtMs: this.#edges.clock.wallMs(),
      });
    }
  }

  /** The key that the worker names, where we gave it: what it makes up must not become a port of the app. */
  #recordedKey(key: string | null, address: ListenAddress): string | null {
    const isRecorded = this.#edges.records.ports
      .list(this.#facts.app)
      .some((record) => record.key === key && labelOf(record.address) === labelOf(address));
    return isRecorded ? key : null;
  }

  #open(address: ListenAddress, isWanted = this.#facts.isWanted()): TrafficPort {
    const { traffic } = this.#edges;
    const known = this.#find(address);
    if (known !== null) return known;
    if (traffic.ports(this.#facts.app).length >= MOST_SERVERS) throw new TooManyServers('one app listens');
    const request = {
      app: this.#facts.app,
      address,
      uid: this.#facts.uid(),
      sticky: this.#facts.sticky(),
      declared: this.#isDeclared(address),
      joinsOwn: this.#facts.isHeldByOwn(address),
    };
    try {
      return traffic.openPort(request);
    } catch (error) {
      // A daemon that died before anybody kept what it had opened: its workers have it.
      if (isWanted) this.#facts.regain(address);
      const regained = this.#find(address);
      if (regained === null) throw error;
      return regained;
    } finally {
      this.#edges.onDescriptorsChanged();
    }
  }

  /** For `listen(0)` any port does: not the one that somebody else has by now, also if it was this app's. */
  #openFor(request: ListenRequest, address: ListenAddress): TrafficPort {
    try {
      return this.#open(address);
    } catch (error) {
      if (request.randomIndex === null || !this.#isReplaceable(address, error)) throw error;
      this.#giveUpRandom(address, error);
      // What the agent has found free, and said to the app; then whatever is.
      const next = this.#resolve(request);
      return this.#openFor({ ...request, reservedPort: null }, next);
    }
  }

  #isReplaceable(address: ListenAddress, error: unknown): boolean {
    return isTaken(error) && address.kind === 'tcp' && address.port !== 0 && !this.#isDeclared(address);
  }

  #giveUpRandom(address: ListenAddress, error: unknown): void {
    if (address.kind !== 'tcp' || this.#random.indexOf(address.port) === null) return;
    const { records } = this.#edges;
    const { app } = this.#facts;
    this.#random.forget(address.port);
    for (const { key, randomIndex, address: known } of records.ports.list(app)) {
      // Nor is it expected of the next workers.
      const isIt = randomIndex !== null && known.kind === 'tcp' && known.port === address.port;
      if (isIt) records.ports.remove(app, key);
    }
    const reason = `${messageOf(error)} It was chosen by the system (\`listen(0)\`): another one is used instead`;
    records.events.append({ app, type: 'port-vanished', reason });
  }

  /** Nobody of the app listens there any more, and it is closed. */
  forget(address: ListenAddress): void {
    if (address.kind === 'tcp') this.#random.forget(address.port);
  }

  #isDeclared(address: ListenAddress): boolean {
    return address.kind === 'tcp' && this.#facts.declaredPorts().includes(address.port);
  }

  #find(address: ListenAddress): TrafficPort | null {
    return this.#edges.traffic.findPort(this.#facts.app, address);
  }

  #findRegained(address: ListenAddress): TrafficPort | null {
    this.#regain(address);
    return this.#find(address);
  }

  #regain(address: ListenAddress, from?: WorkerHandle): number {
    return this.#facts.isWanted() ? this.#facts.regain(address, from) : 0;
  }

  #grant(tenant: Tenant, handle: WorkerHandle, id: number, port: TrafficPort): void {
    const { link } = handle;
    if (link === null) return;
    const shard = port.shard(tenant.slot);
    const isolated = port.privateSocket(tenant.slot, handle.holderId);
    link.send({ type: 'grant', id, key: port.key, address: port.address, hasPrivate: isolated !== null });
    link.send({ type: 'descriptor', role: 'shard', key: port.key, slot: tenant.slot }, shard.fd);
    if (isolated !== null) {
      link.send({ type: 'descriptor', role: 'private', key: port.key, slot: tenant.slot }, isolated.fd);
    }
    this.#edges.onDescriptorsChanged();
  }

  #refuse(tenant: Tenant, handle: WorkerHandle, id: number, address: ListenAddress, error: unknown): void {
    const refusal = refusalOf(error);
    const reason = messageOf(error);
    if (refusal.code === 'EADDRINUSE') handle.portTaken = reason;
    handle.refusals += 1;
    if (handle.refusals <= MOST_REFUSALS_TOLD)
      this.#edges.records.events.append({ app: this.#facts.app, worker: tenant.id, type: 'port-taken', reason });
    handle.link?.send({ type: 'refuse', id, ...refusal });
  }

  #remember(handle: WorkerHandle, id: number, port: TrafficPort, protocol: ServerState['protocol']): void {
    // It may have listened there before, and asks for the socket again.
    const before = handle.servers.get(id);
    const since = before?.key === port.key ? before.since : null;
    handle.servers.set(id, { id, key: port.key, address: port.address, protocol, since });
  }

  #resolve(request: ListenRequest): ListenAddress {
    if (request.path !== null) return { kind: 'unix', path: request.path };
    const random = request.randomIndex === null ? undefined : this.#random.find(request.randomIndex);
    const port = request.port !== 0 ? request.port : (random ?? request.reservedPort ?? 0);
    if (request.host === null) return { ...anyAddress(request.v6only), port };
    return { kind: 'tcp', host: request.host, port, v6only: request.v6only };
  }

  #randomIndexOf(address: ListenAddress): number | null {
    return address.kind === 'tcp' ? this.#random.indexOf(address.port) : null;
  }
}

export const labelOf = (address: ListenAddress): string =>
  address.kind === 'unix'
    ? address.path
    : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;

const toExpected = ({ key: known, address }: PortRecord): ExpectedPort => ({
  label: labelOf(address),
  // Seen from outside, or bound by the worker itself, a port has no key of ours.
  matches: (key, port) => key === known || (key.startsWith('own:') && address.kind === 'tcp' && port === address.port),
});

const pidOf = (handle: WorkerHandle): number => handle.agentPid ?? handle.pid ?? 0;

const hasRoom = (handle: WorkerHandle, id: number): boolean =>
  handle.servers.has(id) || handle.servers.size < MOST_SERVERS;

/** A duplicate of the socket that the worker says listens there. Throws when it is another one, or not to be had. */
const takeListener = (pid: number, fd: number, address: ListenAddress): number => {
  const taken = takeDescriptor(pid, fd);
  try {
    if (isListening(taken) && labelOf(socketAddress(taken)) === labelOf(address)) return taken;
    throw new Error('it is not what listens there');
  } catch (error) {
    closeDescriptor(taken);
    throw error;
  }
};

const keyOf = (address: ListenAddress): string => `own:${labelOf(address)}`;
