/** What `drover cpu diff --json` prints: the comparison without what nobody asked for. Names and numbers are API. */
import type { ComparedFunction, CompareOptions, CpuComparison } from './compare.ts';

export interface DiffFunction extends Omit<ComparedFunction, 'functions'> {
  /** Where the earlier version has it, if that is elsewhere. */
  readonly was: { readonly name: string; readonly url: string; readonly line: number } | null;
}

export interface DiffDocument {
  /** Most time gained or lost first. */
  readonly changed: readonly DiffFunction[];
  /** Where nothing could be tested, what differs most all the same; none of it is more than a difference. */
  readonly differences: readonly DiffFunction[];
  readonly windows: readonly [number, number];
  readonly launches: readonly [number, number];
  readonly tested: number;
  readonly onCpuMsPerSecond: readonly [number, number] | null;
  readonly options: CompareOptions;
  readonly notes: readonly string[];
}

const MOST_DIFFERENCES = 20;

export function describeDiff(comparison: CpuComparison, options: CompareOptions): DiffDocument {
  const { changed, functions, windows, launches, tested, onCpuMsPerSecond, notes } = comparison;
  const difference = ({ selfShare: [a, b] }: ComparedFunction): number => Math.abs(b - a);
  const untested = functions
    .filter((one) => difference(one) > 0)
    .toSorted((one, other) => difference(other) - difference(one))
    .slice(0, MOST_DIFFERENCES);
  return {
    changed: changed.map(toDiffFunction),
    differences: tested === 0 ? untested.map(toDiffFunction) : [],
    windows,
    launches,
    tested,
    onCpuMsPerSecond,
    options,
    notes,
  };
}

function toDiffFunction({ functions: [a], ...rest }: ComparedFunction): DiffFunction {
  const isElsewhere = a !== null && (a.name !== rest.name || a.url !== rest.url || a.line !== rest.line);
  return { ...rest, was: isElsewhere ? { name: a.name, url: a.url, line: a.line } : null };
}
