/**
 * What a receiver is called: its kind and a few characters of where it is, so that messages that wait find it again after the
 * configuration was edited around it. A receiver whose address changes is another one.
 */
import type { ReceiverConfig } from '../protocol/index.ts';

const { hash } = process.getBuiltinModule('node:crypto');
const LENGTH = 6;

export interface NamedReceiver {
  /** Such as `webhook-3fa9c2`; what a second one of the same target is called ends in `-2`. */
  readonly id: string;
  /** For people: without what may be a secret in it. */
  readonly address: string;
  readonly config: ReceiverConfig;
}

export const nameReceivers = (receivers: readonly ReceiverConfig[]): NamedReceiver[] => {
  const given = new Map<string, number>();
  return receivers.map((config) => {
    const { target } = config;
    const base = `${target.kind}-${hash('sha1', JSON.stringify(target), 'hex').slice(0, LENGTH)}`;
    const nth = (given.get(base) ?? 0) + 1;
    given.set(base, nth);
    return { id: nth === 1 ? base : `${base}-${nth}`, address: addressOf(target), config };
  });
};

/** Chat services have their secret in the path or the query, others in front of the host. */
const addressOf = (target: ReceiverConfig['target']): string => {
  if (target.kind === 'command') return target.argv[0];
  const { origin, pathname, search } = new URL(target.url);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
};
