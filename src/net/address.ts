/** Names of addresses: for people, and as keys of groups. */
import type { ListenAddress } from '../protocol/index.ts';

/** `127.0.0.1:3000`, `[::]:3000`, `/run/app.sock`. */
export function describeAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** The kernel groups sockets by exact address: `[::]:3000` that takes IPv4 too is another group than one that does not. */
export function addressKey(address: ListenAddress): string {
  const isV6Only = address.kind === 'tcp' && address.v6only;
  return `${describeAddress(address)}${isV6Only ? ' v6' : ''}`;
}
