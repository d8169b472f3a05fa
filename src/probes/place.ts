/** Where a probe of a worker goes to. */
import type { ListenAddress, ProbeTarget } from '../protocol/index.ts';
import type { Place, WatchedWorker } from './edges.ts';

type SocketTarget = Extract<ProbeTarget, { kind: 'http' | 'tcp' }>;
type Reachable = Pick<WatchedWorker, 'privateSocket' | 'address'>;

/** Null: the worker does not listen, so that there is nowhere to go. */
export const placeOf = (target: SocketTarget, worker: Reachable): Place | null => {
  const { host, port } = target;
  if (host === null) return placeOfWorker(port, worker);
  const isHttps = target.kind === 'http' && target.scheme === 'https';
  return { kind: 'tcp', host, port: port ?? (isHttps ? 443 : 80) };
};

const placeOfWorker = (port: number | null, worker: Reachable): Place | null => {
  const address = worker.address(port);
  const path = worker.privateSocket(port);
  const authority = nameOf(address, port);
  if (path !== null) return { kind: 'socket', path, authority };
  if (address?.kind === 'unix') return { kind: 'socket', path: address.path, authority };
  if (address !== null) return { kind: 'tcp', host: reachable(address.host), port: address.port };
  // Of a program without an agent nobody knows more than its configuration says.
  return port === null ? null : { kind: 'tcp', host: '127.0.0.1', port };
};

/** A redirect of the worker's to another of its ports; null where only others would answer there. */
export const otherPlaceOf = (target: SocketTarget, worker: Reachable, port: number): Place | null => {
  if (target.host !== null) return { kind: 'tcp', host: target.host, port };
  if (worker.privateSocket(port) === null && worker.address(port) === null) return null;
  return placeOfWorker(port, worker);
};

const nameOf = (address: ListenAddress | null, port: number | null): string => {
  if (address?.kind === 'tcp') {
    const host = reachable(address.host);
    return `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  }
  return port === null ? 'localhost' : `localhost:${port}`;
};

/** "Any address" is none that can be connected to everywhere. */
const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);
