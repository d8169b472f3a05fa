/** Where the time of a profile went, as a document: what `drover cpu top` prints, for people and as JSON. */
import { listHotPaths } from '../passes/hot-paths.ts';
import { type Grouping, listTotals, type Total } from '../passes/totals.ts';
import type { Category, CpuFunction, CpuProfile } from '../model/profile.ts';

export interface TopFunction {
  readonly name: string;
  readonly url: string;
  /** From 1; 0 where unknown. */
  readonly line: number;
  readonly column: number;
  readonly selfMs: number;
  readonly totalMs: number;
  readonly category: Category;
  readonly package: string | null;
}

export interface TopGroup {
  readonly name: string;
  readonly selfMs: number;
  readonly totalMs: number;
}

export interface TopDocument {
  /** Null where the format does not tell. */
  readonly samples: number | null;
  readonly durationMs: number;
  /** What the `…Ms` fields count where the file does not count time: samples or bytes, as they are. */
  readonly unit: 'milliseconds' | 'samples' | 'bytes';
  /** Self time by category, most first; together they are the whole. */
  readonly categories: readonly { readonly category: Category; readonly selfMs: number }[];
  /** Functions by self or total time, most first; V8's `(root)` is not among them. */
  readonly functions: readonly TopFunction[];
  /** Files, packages or categories instead of functions; null where functions were asked for. */
  readonly groups: readonly TopGroup[] | null;
  readonly hotPaths: readonly {
    readonly selfMs: number;
    readonly frames: readonly Pick<TopFunction, 'name' | 'url' | 'line'>[];
  }[];
  readonly notes: readonly string[];
}

export interface TopOptions {
  readonly by: Grouping;
  readonly sort: 'self' | 'total';
  /** Rows of `functions` and `groups`; null for all. */
  readonly top: number | null;
  /** Stacks in `hotPaths`. */
  readonly paths: number;
}

export function describeTop(profile: CpuProfile, { by, sort, top, paths }: TopOptions): TopDocument {
  const { functions, sampleCount, durationUs, unit, notes } = profile;
  // Counts of samples or bytes are not thousandths of anything.
  const scale = unit === 'microseconds' ? 1000 : 1;
  const toMs = (value: number): number => round(value / scale);
  const functionAt = (index: number): CpuFunction => functions[index] as CpuFunction;
  const pick = (totals: readonly Total[]): Total[] => {
    const sorted = sort === 'total' ? totals.toSorted((a, b) => b.totalUs - a.totalUs || b.selfUs - a.selfUs) : totals;
    return sorted.slice(0, top ?? sorted.length);
  };
  const isShown = ({ functionIndex }: Total): boolean => functionAt(functionIndex ?? 0).name !== '(root)';
  const categories = listTotals(profile, 'category')
    .filter(({ selfUs }) => selfUs > 0)
    // Time of the root itself is time in which nothing known ran.
    .map(({ name, selfUs }) => ({
      category: name === '(root)' ? ('program' as const) : (name as Category),
      selfMs: toMs(selfUs),
    }));
  return {
    samples: sampleCount,
    durationMs: toMs(durationUs),
    unit: unit === 'microseconds' ? 'milliseconds' : unit,
    categories,
    functions:
      by !== 'function'
        ? []
        : pick(listTotals(profile).filter(isShown)).map(({ functionIndex, selfUs, totalUs }) => {
            const { name, url, line, column, category, package: packageName } = functionAt(functionIndex ?? 0);
            return {
              name,
              url,
              line,
              column,
              selfMs: toMs(selfUs),
              totalMs: toMs(totalUs),
              category,
              package: packageName,
            };
          }),
    groups:
      by === 'function'
        ? null
        : pick(listTotals(profile, by)).map(({ name, selfUs, totalUs }) => ({
            name,
            selfMs: toMs(selfUs),
            totalMs: toMs(totalUs),
          })),
    hotPaths: listHotPaths(profile, paths).map(({ functions: stack, selfUs }) => ({
      selfMs: toMs(selfUs),
      frames: stack.map((index) => {
        const { name, url, line } = functionAt(index);
        return { name, url, line };
      }),
    })),
    notes,
  };
}

/** Microseconds are the finest that profiles have. */
const round = (value: number): number => Math.round(value * 1000) / 1000;
