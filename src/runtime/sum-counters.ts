/** Adds up what several processes of one worker have counted, so that the sum takes no more room than one of them. */
import type { RequestCounters } from '../protocol/index.ts';
import { mergeHistograms } from './histogram.ts';

/** All but connections, which are those of `own`: it accepts for the others. */
export function sumCounters(own: RequestCounters, others: readonly RequestCounters[]): RequestCounters {
  if (others.length === 0) return own;
  const all = [own, ...others];
  const total = (name: 'begun' | 'served' | 'failed' | 'lost' | 'aborted' | 'refused' | 'upgrades'): number =>
    all.reduce((sum, counters) => sum + counters[name], 0);
  return {
    begun: total('begun'),
    served: total('served'),
    failed: total('failed'),
    lost: total('lost'),
    aborted: total('aborted'),
    refused: total('refused'),
    upgrades: total('upgrades'),
    connections: own.connections,
    byClass: own.byClass.map((_, at) => all.reduce((sum, { byClass }) => sum + (byClass[at] ?? 0), 0)),
    latency: mergeHistograms(all.map(({ latency }) => latency)),
  };
}
