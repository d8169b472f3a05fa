/**
 * Where to connect to, in Node's words. Names of hosts are looked up few at a time: `getaddrinfo` holds one of the four
 * threads that all file access of the daemon goes through, for as long as a name server does not answer.
 */
import type { LookupAllOptions, LookupAddress } from 'node:dns';
import type { LookupFunction, NetConnectOpts } from 'node:net';
import { Lanes } from '../lanes.ts';
import type { Place } from '../edges.ts';

/** Half of the threads. */
const LOOKUPS_AT_ONCE = 2;

const lookups = new Lanes({ atOnce: LOOKUPS_AT_ONCE, ofOneOwner: 1 });

/** What `net.connect` takes; for `http.request` the path is named otherwise. */
export const connectionOf = (place: Place, signal: AbortSignal): NetConnectOpts =>
  place.kind === 'socket'
    ? { path: place.path }
    : { host: place.host, port: place.port, lookup: lookupUntil(place.host, signal) };

/** Looks up when it is its turn, and not at all where nobody waits for it any more. */
export const lookupUntil =
  (owner: string, signal: AbortSignal): LookupFunction =>
  (hostname, options, callback) => {
    // Where nobody waits any more, nobody is called back either: the socket is gone.
    if (signal.aborted) return;
    let leave = (): void => {};
    const giveUp = (): void => leave();
    signal.addEventListener('abort', giveUp, { once: true });
    leave = lookups.enter(owner, (release) => {
      signal.removeEventListener('abort', giveUp);
      const { lookup } = process.getBuiltinModule('dns');
      // Always all: Node asks for them, and tries one after the other.
      lookup(hostname, { ...options, all: true } as LookupAllOptions, (error, addresses: LookupAddress[]) => {
        release();
        if (options.all === true) callback(error, addresses);
        else callback(error, addresses?.[0]?.address ?? '', addresses?.[0]?.family);
      });
    });
  };
