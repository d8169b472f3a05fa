/**
 * The third way to keep a shard over the daemon's death, for when the guard died with it, or had not yet heard of the
 * newest: every worker has a duplicate of its own, and the new daemon takes it from there.
 */
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import type { TrafficPort } from './edges.ts';
import type { TakenListener } from './processes.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Takes back the listening sockets of the app's known ports that nobody kept. */
export const regainPorts = (app: App): void => {
  const { records, traffic } = app.edges;
  for (const { address } of records.ports.list(app.app)) {
    if (traffic.findPort(app.app, address) === null) regainPort(app, address);
  }
  for (const port of traffic.ports(app.app)) {
    const kept = new Set(
      traffic
        .view(app.app)
        .find(({ key }) => key === port.key)
        ?.shards.map(({ slot }) => slot),
    );
    const bereft = app.liveHandles().filter(({ slot }) => !kept.has(slot));
    if (bereft.length > 0) regain(app, port.address, bereft, port);
  }
};

/** Takes the port's sockets back from whoever of the app has them. */
export const regainPort = (app: App, address: ListenAddress): void => regain(app, address, app.liveHandles(), null);

interface Candidate {
  readonly handle: WorkerHandle;
  /** Duplicates of its sockets on this address: its own shard, and those of siblings that it covers for. */
  readonly taken: readonly TakenListener[];
}

const regain = (
  app: App,
  address: ListenAddress,
  handles: readonly WorkerHandle[],
  known: TrafficPort | null,
): void => {
  const { processes } = app.edges;
  const candidates = handles.map((handle): Candidate => ({ handle, taken: processes.takeListeners(handle, address) }));
  const claimed = new Set<number>();
  const regained = new Set<number>();
  const isClaimed = (inode: number): boolean => claimed.has(inode) || known?.hasSocket(inode) === true;
  // Who has one socket only has its own; that tells which of a coverer's sockets are its siblings'.
  for (const { handle, taken } of candidates.toSorted((a, b) => a.taken.length - b.taken.length)) {
    // Two workers of a slot have its shard in common: what else the second one has is a sibling's.
    const own = regained.has(handle.slot) ? undefined : taken.find(({ inode }) => !isClaimed(inode));
    for (const each of taken) if (each !== own) each.close();
    if (own === undefined) continue;
    claimed.add(own.inode);
    regained.add(handle.slot);
    const { sticky } = app.state.config;
    app.edges.traffic.adoptPort({ app: app.app, address, fd: own.fd, slot: handle.slot, sticky });
  }
};
