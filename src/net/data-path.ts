/**
 * The data path: every listening socket of every app, and who gets which share of its connections. The only room that
 * knows sockets; no byte of a request passes through it.
 */
import { isOsError, probeDispatch, unixListenSocket, type PortOwner } from '../os/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { Clock, DispatchLevel, Lane, ListenAddress, ShardHolder } from '../protocol/index.ts';
import { addressKey, describeAddress } from './address.ts';
import { AppTraffic } from './app-traffic.ts';
import type { LaneWeights, Load } from './app-traffic.ts';
import { ClassicGroup } from './classic-dispatch.ts';
import type { Dispatch } from './dispatch.ts';
import { ExactGroup } from './exact-dispatch.ts';
import { GroupPort } from './group-port.ts';
import { restorePorts } from './inheritance.ts';
import { systemKernel, type NetKernel } from './kernel.ts';
import type { PortFacts } from './kept-name.ts';
import { startPolling } from './polling.ts';
import type { KeptDescriptor, ManagedPort, Port, PortView } from './port.ts';
import { PrivateSockets } from './private-sockets.ts';
import { SharedPort } from './shared-port.ts';
import type { FileState } from './socket-file.ts';

export type DataPathEvent =
  | {
      readonly type: 'covered' | 'uncovered';
      readonly app: string;
      readonly key: string;
      readonly slot: number;
      readonly lane: Lane;
      /** Id of the holder that accepts, or accepted, in the place of the shard's own. */
      readonly by: string;
    }
  | {
      /** What the path of a Unix socket leads to: this app again, another listener's socket, or nothing. */
      readonly type: 'path-back' | 'path-taken' | 'path-lost';
      readonly app: string;
      readonly path: string;
      /** Who listens there in its place; null where that cannot be told. */
      readonly owner: PortOwner | null;
    }
  /** The set that {@link DataPath.inventory} lists is another one now. */
  | { readonly type: 'descriptors-changed' };

export interface DataPathOptions {
  /** Forces a level; without it the best that the host allows. */
  readonly level?: DispatchLevel;
  readonly clock: Clock;
  readonly onEvent: (event: DataPathEvent) => void;
  /** What the daemon before this one kept, as {@link DataPath.inventory} named it. Other names are left alone. */
  readonly adopt?: readonly KeptDescriptor[];
  /** Where private sockets are made (the daemon's alone); null: workers have none. */
  readonly socketFolder: string | null;
  /** False: weights stay as they were set, and nobody is covered. For measurements. */
  readonly feedback?: boolean;
  /** Another kernel than the system's, and what spreads connections there. Only given by simulations. */
  readonly world?: { readonly kernel: NetKernel; readonly newDispatch: (facts: PortFacts) => Dispatch };
}

export interface OpenPortRequest {
  readonly app: string;
  readonly address: ListenAddress;
  /** The user that the app runs as, where it is not the daemon's. */
  readonly uid: number | null;
  /** Pick a worker by the client's address. */
  readonly sticky: boolean;
  readonly declared: boolean;
  /** Workers of the app listen there, on sockets that could not be taken from them: ours join theirs. */
  readonly joinsOwn?: boolean;
}

export interface AdoptPortRequest {
  readonly app: string;
  readonly address: ListenAddress;
  /** A duplicate of a socket that a worker listens on; the data path owns it from here on. */
  readonly fd: number;
  readonly slot: number;
  readonly lane?: Lane;
  readonly sticky: boolean;
}

export interface DataPath {
  readonly level: DispatchLevel;
  /** Why no better level; null at the best, or where the level was forced. */
  readonly reason: string | null;
  /** Opens a port, or finds it open already. Throws DROVER_PORT_TAKEN naming the holder, or the system's `OsError`. */
  openPort(request: OpenPortRequest): Port;
  /** Makes the port of a worker that bound by itself, or that an earlier daemon made, the app's. */
  adoptPort(request: AdoptPortRequest): Port;
  findPort(app: string, address: ListenAddress): Port | null;
  ports(app: string): readonly Port[];
  /** A worker accepts on its slot's shards from now on. During a handover the new one comes before the old one goes. */
  attach(holder: ShardHolder): void;
  detach(holderId: string): void;
  setLaneWeights(app: string, weights: LaneWeights): void;
  /** 1 is a full share of the lane, 0 takes the worker off rotation. */
  setSlotFactor(app: string, slot: number, lane: Lane, factor: number): void;
  reportLoad(app: string, slot: number, lane: Lane, load: Load): void;
  view(app: string): readonly PortView[];
  /** Every descriptor that should outlive the daemon. */
  inventory(): readonly KeptDescriptor[];
  /** A port that no worker serves any more is refused from now on, whoever still holds a descriptor. */
  closePort(app: string, key: string): void;
  /** The same for all ports of an app, as soon as its last worker has stopped accepting. */
  closeApp(app: string): void;
  /** Lets go of all descriptors; workers, and who keeps descriptors for the next daemon, go on. */
  close(): void;
}

const EVENT_OF_FILE = { there: 'path-back', taken: 'path-taken', lost: 'path-lost' } as const;

export function openDataPath(options: DataPathOptions): DataPath {
  const support = options.level === undefined ? probeDispatch() : { level: options.level, reason: null };
  return new SocketDataPath(options, support.level, support.reason);
}

class SocketDataPath implements DataPath {
  readonly level: DispatchLevel;
  readonly reason: string | null;
  readonly #options: DataPathOptions;
  readonly #kernel: NetKernel;
  readonly #apps = new Map<string, AppTraffic>();
  readonly #ports = new Map<string, ManagedPort>();
  /** Ports of apps that are being stopped: their workers still accept, and nobody else gets a descriptor. */
  readonly #ending = new Set<ManagedPort>();
  readonly #polling: ReturnType<typeof startPolling>;

  constructor(options: DataPathOptions, level: DispatchLevel, reason: string | null) {
    this.#options = options;
    this.#kernel = options.world?.kernel ?? systemKernel;
    this.level = level;
    this.reason = reason;
    this.#polling = startPolling(options.clock, this.#kernel, () => this.#ports.values());
    this.#restore(options.adopt ?? []);
  }

  openPort(request: OpenPortRequest): Port {
    const known = this.#findByAddress(request.address);
    if (known !== null) return this.#ofSameApp(known, request.app);
    const refusal = request.joinsOwn === true ? null : this.#kernel.canBindExclusively(request.address);
    if (refusal !== null) throw this.#explain(refusal, request.address);
    try {
      return this.#open(request);
    } catch (error) {
      throw this.#explain(error, request.address);
    }
  }

  adoptPort({ app, address, fd, slot, lane = 'stable', sticky }: AdoptPortRequest): Port {
    const known = this.#findByAddress(address);
    if (known !== null && (known.app !== app || !(known instanceof GroupPort))) {
      const isTaken = known.app === app && known instanceof SharedPort && known.takeOver(fd);
      if (!isTaken) this.#kernel.closeDescriptor(fd);
      return this.#ofSameApp(known, app);
    }
    const facts = { app, address, declared: false, sticky, uid: this.#kernel.ownerOf(fd) };
    if (address.kind === 'unix' || this.level === 'shared') return this.#addShared(facts, fd, false);
    const port = known ?? this.#addGroup(facts, this.#newDispatch(facts));
    port.adopt(fd, { slot, lane });
    this.#polling.hurry();
    return port;
  }

  findPort(app: string, address: ListenAddress): Port | null {
    const port = this.#findByAddress(address);
    return port?.app === app ? port : null;
  }

  ports(app: string): readonly Port[] {
    return this.#portsOf(app);
  }

  attach(holder: ShardHolder): void {
    this.#app(holder.app).addHolder(holder);
    this.#refresh(holder.app);
  }

  detach(holderId: string): void {
    for (const [app, traffic] of this.#apps) {
      if (!traffic.removeHolder(holderId)) continue;
      this.#refresh(app);
      if (this.#ending.size > 0) this.#endUnheld(app);
    }
  }

  setLaneWeights(app: string, weights: LaneWeights): void {
    this.#app(app).setLanes(weights);
    this.#refresh(app);
  }

  setSlotFactor(app: string, slot: number, lane: Lane, factor: number): void {
    this.#app(app).setFactor({ slot, lane }, factor);
    this.#refresh(app);
  }

  reportLoad(app: string, slot: number, lane: Lane, load: Load): void {
    this.#app(app).setLoad({ slot, lane }, load);
    if (load.requestsPerSecond > 0) this.#polling.hurry();
  }

  view(app: string): readonly PortView[] {
    return this.#portsOf(app).map((port) => port.view());
  }

  inventory(): readonly KeptDescriptor[] {
    return [...this.#ports.values()].flatMap((port) => port.keep());
  }

  closePort(app: string, key: string): void {
    for (const port of this.#portsOf(app)) {
      if (port.key !== key) continue;
      this.#ports.delete(key);
      port.end();
    }
  }

  closeApp(app: string): void {
    for (const port of this.#portsOf(app)) {
      this.#ports.delete(port.key);
      this.#ending.add(port);
    }
    this.#endUnheld(app);
  }

  close(): void {
    this.#polling.close();
    for (const port of [...this.#ports.values(), ...this.#ending]) port.close();
    this.#ports.clear();
    this.#ending.clear();
    this.#apps.clear();
  }

  /** The last worker has stopped accepting: from now on connections are refused, whoever still holds a descriptor. */
  #endUnheld(app: string): void {
    if (this.#apps.get(app)?.hasHolders === true) return;
    for (const port of this.#ending) {
      if (port.app !== app) continue;
      this.#ending.delete(port);
      port.end();
    }
    if (this.#portsOf(app).length === 0) this.#apps.delete(app);
  }

  #open(request: OpenPortRequest): ManagedPort {
    const { address, uid } = request;
    if (address.kind === 'unix') return this.#addShared(request, unixListenSocket(address.path, { uid }), true);
    if (this.level !== 'shared' && address.port !== 0) {
      return this.#addGroup(request, this.#newDispatch(request));
    }
    const fd = this.#kernel.listenSocket({ ...address, uid, reusePort: this.level !== 'shared' });
    const facts = { ...request, address: this.#kernel.socketAddress(fd) };
    if (this.level === 'shared') return this.#addShared(facts, fd, true);
    const port = this.#addGroup(facts, this.#newDispatch(facts));
    port.adopt(fd, { slot: 0, lane: 'stable' });
    return port;
  }

  #addGroup(facts: PortFacts, dispatch: Dispatch): GroupPort {
    const key = this.#keyOf(facts);
    const port = new GroupPort({
      key,
      facts: onlyFacts(facts),
      traffic: this.#app(facts.app),
      dispatch,
      privates: new PrivateSockets(this.#options.socketFolder, key),
      kernel: this.#kernel,
      clock: this.#options.clock,
      hasFeedback: this.#options.feedback ?? true,
      onCover: (type, { slot, lane }, by) => this.#options.onEvent({ type, app: facts.app, key, slot, lane, by }),
      onDescriptors: () => this.#options.onEvent({ type: 'descriptors-changed' }),
    });
    this.#ports.set(key, port);
    return port;
  }

  #addShared(facts: PortFacts, fd: number, isNew: boolean): SharedPort {
    const key = this.#keyOf(facts);
    const port = new SharedPort({
      key,
      facts: onlyFacts(facts),
      traffic: this.#app(facts.app),
      privates: new PrivateSockets(this.#options.socketFolder, key),
      fd,
      isNew,
      onDescriptors: () => this.#options.onEvent({ type: 'descriptors-changed' }),
      onFile: (state, inode) => this.#tellFile(facts, state, inode),
      onTouch: () => this.#polling.hurry(),
    });
    this.#ports.set(key, port);
    this.#options.onEvent({ type: 'descriptors-changed' });
    this.#polling.hurry();
    return port;
  }

  /** `inode`: of our own socket, which is bound to the same path. */
  #tellFile({ app, address }: PortFacts, state: FileState, inode: number): void {
    if (address.kind !== 'unix') return;
    const { path } = address;
    const owner = state === 'taken' ? this.#kernel.findPortOwner(address, inode) : null;
    this.#options.onEvent({ type: EVENT_OF_FILE[state], app, path, owner });
    this.#polling.hurry();
  }

  #newDispatch(facts: PortFacts, order: readonly number[] = []): Dispatch {
    const { address, sticky } = facts;
    if (this.#options.world !== undefined) return this.#options.world.newDispatch(facts);
    if (this.level === 'exact') return new ExactGroup(sticky);
    return new ClassicGroup(address.kind === 'tcp' ? address.port : 0, sticky, order);
  }

  #restore(kept: readonly KeptDescriptor[]): void {
    restorePorts(kept, {
      kernel: this.#kernel,
      hasGroups: this.level !== 'shared',
      addGroup: (facts, order) => this.#addGroup(facts, this.#newDispatch(facts, order)),
      addShared: (facts, fd) => this.#addShared(facts, fd, false),
    });
    if (this.#ports.size > 0) this.#polling.hurry();
  }

  #refresh(app: string): void {
    for (const port of this.#portsOf(app)) port.refresh();
    this.#polling.hurry();
  }

  #app(name: string): AppTraffic {
    let traffic = this.#apps.get(name);
    if (traffic === undefined) {
      traffic = new AppTraffic(this.#options.clock);
      this.#apps.set(name, traffic);
    }
    return traffic;
  }

  #portsOf(app: string): readonly ManagedPort[] {
    return [...this.#ports.values()].filter((port) => port.app === app);
  }

  #findByAddress(address: ListenAddress): ManagedPort | null {
    const wanted = addressKey(address);
    return [...this.#ports.values()].find((port) => addressKey(port.address) === wanted) ?? null;
  }

  #keyOf({ app, address }: PortFacts): string {
    return `${app} ${addressKey(address)}`;
  }

  /** Says who is in the way, where that is what the system means. */
  #explain(error: unknown, address: ListenAddress): unknown {
    if (!isOsError(error, 'EADDRINUSE')) return error;
    const owner = this.#kernel.findPortOwner(address);
    const data = { address: describeAddress(address), pid: owner?.pid ?? null, command: owner?.command ?? null };
    return new DroverError('DROVER_PORT_TAKEN', data, { cause: error });
  }

  #ofSameApp<Kind extends Port>(port: Kind, app: string): Kind {
    if (port.app === app) return port;
    // Without a pid: it would be ours, and somebody might kill it.
    const data = { address: describeAddress(port.address), pid: null, command: `the app ${port.app}` };
    throw new DroverError('DROVER_PORT_TAKEN', data);
  }
}

/** Requests carry more than what is kept. */
const onlyFacts = ({ app, address, declared, sticky, uid }: PortFacts): PortFacts => ({
  app,
  address,
  declared,
  sticky,
  uid,
});
