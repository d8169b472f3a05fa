/**
 * What becomes of a port whose workers have closed it. An app that does not want it any more closes it and goes on; one
 * that leaves by itself (it was sent a signal, it has seen enough of an error) closes it just as well, and the next worker
 * is to find it with all who wait there. Nothing tells the two apart but time.
 */
import type { App } from './app.ts';
import { labelOf } from './listen-desk.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Ports that go at once are told by name up to so many: an agent may say that it listens on hundreds. */
const MOST_TOLD = 10;

/** Of workers that have closed something: when that is judged. One look is on its way for each. */
const judgedAt = new WeakMap<WorkerHandle, number>();

/** A worker has closed a server on this port; null: on none of ours. */
export const noteClosed = (app: App, tenant: Tenant, key: string | null): void => {
  // One that was only tried, as by who looks for a free one, is free again at once.
  if (key !== null && dropTried(app, tenant, key)) return;
  const { handle, config } = tenant;
  if (handle === null || tenant.state.phase !== 'running') return;
  const { ready, drain } = config;
  // Who serves nothing any more probably leaves, and may take as long as a drain.
  const isLeaving = handle.servers.size === 0;
  const afterMs = isLeaving ? Math.max(ready.stableForMs, drain.timeoutMs) : ready.stableForMs;
  const before = judgedAt.get(handle);
  judgedAt.set(handle, Math.max(before ?? 0, tenant.at + afterMs));
  if (before === undefined) judgeLater(app, tenant, handle, afterMs);
};

const judgeLater = (app: App, tenant: Tenant, handle: WorkerHandle, afterMs: number): void => {
  app.edges.schedule.background(afterMs, () => {
    // It has left, or is about to.
    if (tenant.handle !== handle || handle.pid === null || tenant.state.phase !== 'running' || !app.isWanted) return;
    const restMs = (judgedAt.get(handle) ?? 0) - tenant.at;
    // A sibling that is just starting may be the one that serves it.
    const isEarly = restMs > 0 || app.operation !== null || !isComplete(app);
    if (isEarly) return judgeLater(app, tenant, handle, Math.max(restMs, tenant.config.ready.stableForMs));
    judgedAt.delete(handle);
    forgetUnserved(app);
  });
};

const isComplete = (app: App): boolean =>
  app.slotNumbers.every((slot) => !app.wants(slot) || app.slots.find(slot)?.holder?.state.phase === 'running');

/** Apps of which a worker is missing that may serve what nobody seems to. */
const incomplete = new WeakSet<App>();

/** After a change: ports that the new workers do not serve any more go, once all of them are there. */
export const forgetOnceComplete = (app: App): void => {
  if (isComplete(app)) return forgetUnserved(app);
  if (incomplete.has(app)) return;
  incomplete.add(app);
  app.edges.schedule.background(app.state.config.ready.stableForMs, () => {
    incomplete.delete(app);
    // Another change looks at its own end.
    if (app.isWanted && app.operation === null) forgetOnceComplete(app);
  });
};

/** Ports that no worker serves any more go, and are no longer expected. */
const forgetUnserved = (app: App): void => {
  if (!app.isWanted || !app.holders.some((tenant) => tenant.state.phase === 'running')) return;
  if (app.awaitsWord) return;
  const { traffic, records } = app.edges;
  const served = servedKeys(app);
  const gone = traffic.ports(app.app).filter(({ key }) => !served.has(key));
  for (const { key, address } of gone) {
    traffic.closePort(app.app, key);
    app.desk.forget(address);
    records.ports.remove(app.app, key);
  }
  const labels = gone.map(({ address }) => labelOf(address));
  const more = labels.length > MOST_TOLD ? [`${labels.length - MOST_TOLD} more ports`] : [];
  for (const label of [...labels.slice(0, MOST_TOLD), ...more]) {
    records.events.append({ app: app.app, type: 'port-vanished', reason: `No worker listens on ${label} any more` });
  }
};

/** Closes a port that is neither declared nor learned, and that nobody serves. Returns whether it was one. */
const dropTried = (app: App, { config }: Tenant, key: string): boolean => {
  const { traffic, records } = app.edges;
  const port = traffic.ports(app.app).find((each) => each.key === key);
  if (port === undefined || servedKeys(app).has(key)) return false;
  const { address } = port;
  const isDeclared = address.kind === 'tcp' && config.ports.includes(address.port);
  if (isDeclared || records.ports.list(app.app).some((record) => record.key === key)) return false;
  traffic.closePort(app.app, key);
  app.desk.forget(address);
  return true;
};

const servedKeys = (app: App): ReadonlySet<string> =>
  new Set(app.liveHandles().flatMap(({ servers }) => [...servers.values()].map(({ key }) => key)));
