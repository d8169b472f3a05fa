/** What a `listen` asks for, compared as the kernel would compare it. */
import { resolve } from 'node:path';
import type { BootShard, ListenAddress, ListenRequest } from '../protocol/agent.ts';
import type { SocketName } from '../runtime/index.ts';

/** `::` and `0:0:0:0:0:0:0:0` are one address. */
export function normalizeHost(host: string): string {
  if (!host.includes(':') || host.includes('%')) return host;
  try {
    return new URL(`http://[${host}]`).hostname.slice(1, -1);
  } catch {
    return host;
  }
}

/** The address that a request ends up on. `hasIpv6`: "any" is `::` where the machine has it, else `0.0.0.0`. */
export function addressOf(request: ListenRequest, hasIpv6: boolean): ListenAddress {
  if (request.path !== null) return { kind: 'unix', path: request.path };
  const host = request.host ?? (hasIpv6 ? '::' : '0.0.0.0');
  return { kind: 'tcp', host, port: request.reservedPort ?? request.port, v6only: request.v6only };
}

export function isSameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  return a.host === b.host && a.port === b.port && (a.host !== '::' || a.v6only === b.v6only);
}

/** True when the kernel would let only one of them listen. */
export function isClash(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return isSameAddress(a, b);
  if (a.port !== b.port) return false;
  if (a.host === b.host) return true;
  return covers(a, b) || covers(b, a);
}

function covers(wide: ListenAddress & { kind: 'tcp' }, narrow: ListenAddress & { kind: 'tcp' }): boolean {
  if (wide.host === '::') return !wide.v6only || narrow.host.includes(':');
  return wide.host === '0.0.0.0' && (!narrow.host.includes(':') || (narrow.host === '::' && !narrow.v6only));
}

/** The shard that was handed over for this request, if any. */
export function matchShard(
  shards: Iterable<BootShard>,
  request: ListenRequest,
  hasIpv6: boolean,
): BootShard | undefined {
  const wanted = addressOf(request, hasIpv6);
  for (const shard of shards) {
    const { address } = shard;
    if (request.randomIndex === null) {
      if (isSameAddress(address, wanted)) return shard;
    } else if (shard.randomIndex === request.randomIndex && wanted.kind === 'tcp' && address.kind === 'tcp') {
      if (isSameAddress(address, { ...wanted, port: address.port })) return shard;
    }
  }
  return undefined;
}

export function socketNameOf(address: ListenAddress): SocketName | string {
  if (address.kind === 'unix') return address.path;
  const { host, port } = address;
  return { address: host, family: host.includes(':') ? 'IPv6' : 'IPv4', port };
}

/** The daemon binds it, and stands elsewhere: a relative path is this process's. */
export function pathRequest(name: string): ListenRequest {
  const path = name.startsWith('\0') ? name : resolve(name);
  return { host: null, port: 0, v6only: false, path, randomIndex: null, reservedPort: null };
}
