/**
 * Two or three snapshots side by side: by the identity of their objects when they are of one process, and by class
 * always. It says what grew and where, not whether that is a leak: see `judge/`.
 */
import type { HeapGraph } from '../model/graph.ts';
import { type ClassGrowth, compareClasses } from './classes.ts';
import { findGrowth, type GrowthReport } from './growth.ts';
import type { SourceOptions } from '../source/declarations.ts';
import { openReading, type Reading } from './reading.ts';

export interface HeapComparison {
  readonly readings: readonly Reading[];
  /** Objects and bytes of each snapshot. */
  readonly totals: { readonly objects: readonly number[]; readonly bytes: readonly number[] };
  /** Absent when the snapshots are not of one process, in the order in which it ran. */
  readonly growth: GrowthReport | undefined;
  /** Why there is no growth by identity; empty when there is. */
  readonly whyNotByIdentity: string;
  /** Classes by what they gained from the first to the last snapshot, the most bytes first. */
  readonly classes: readonly ClassGrowth[];
}

/**
 * @param graphs Two or three, the oldest first: after a warm-up, after a load, after the same load again.
 * @param source Where texts of scripts are read that the snapshots have the beginnings of; without it they are not read.
 */
export function compareHeaps(graphs: readonly HeapGraph[], source: SourceOptions = {}): HeapComparison {
  if (graphs.length < 2 || graphs.length > 3) throw new RangeError(`two or three snapshots, not ${graphs.length}`);
  const readings = graphs.map((graph) => openReading(graph, source));
  const report = findGrowth(readings);
  const totals = {
    objects: graphs.map(({ nodeCount }) => nodeCount),
    bytes: graphs.map((graph) => sumOf(graph.selfSize) + graph.extraNativeBytes),
  };
  const stranger = report.identities.findIndex((identity) => !identity.isOneProcess);
  return {
    readings,
    totals,
    growth: report.isOneProcess ? report : undefined,
    whyNotByIdentity: stranger === -1 ? '' : explain(report, stranger),
    classes: compareClasses(readings),
  };
}

function explain({ identities }: GrowthReport, at: number): string {
  const { agreement, strangers, isInOrder } = identities[at] as GrowthReport['identities'][number];
  const pair = `snapshots ${at + 1} and ${at + 2}`;
  if (!isInOrder && agreement > 0.9) {
    return strangers === 0
      ? `${pair} are the same one, or not in the order in which they were taken: the later one has no object that is newer`
      : `${pair} are not in the order in which they were taken: the later one has no object that is newer`;
  }
  return strangers > 0.1 && agreement > 0.9
    ? `${pair} are not in the order in which they were taken, or not of one process: ${percent(strangers)} of the later one's objects have ids that were given out before, to nobody`
    : `${pair} are of different processes: of the objects that share an id, only ${percent(agreement)} are alike`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function sumOf(sizes: Uint32Array | Float64Array): number {
  let sum = 0;
  for (const size of sizes) sum += size;
  return sum;
}
