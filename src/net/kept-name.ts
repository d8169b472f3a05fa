/** Names of the descriptors that outlive the daemon: everything the next one needs to know of each, as one JSON text. */
import type { Lane, ListenAddress } from '../protocol/index.ts';

/** What all sockets of a port have in common. */
export interface PortFacts {
  readonly app: string;
  readonly address: ListenAddress;
  readonly declared: boolean;
  readonly sticky: boolean;
  readonly uid: number | null;
}

export type KeptName =
  | (PortFacts & {
      readonly kind: 'shard';
      readonly slot: number;
      readonly lane: Lane;
      /** Place in the kernel's order of the group, where the dispatch level depends on it. */
      readonly position: number | null;
    })
  | (PortFacts & { readonly kind: 'shared' })
  | (PortFacts & { readonly kind: 'private'; readonly slot: number; readonly worker: string; readonly path: string });

const MARK = 'net';

export function writeKeptName(name: KeptName): string {
  return JSON.stringify([MARK, name]);
}

/** Null for a name that is none of ours. */
export function parseKeptName(text: string): KeptName | null {
  if (!text.startsWith(`["${MARK}",`)) return null;
  // Written by this daemon's predecessor; an older one knew the same kinds.
  const [, name] = JSON.parse(text) as readonly [string, KeptName];
  return name;
}
