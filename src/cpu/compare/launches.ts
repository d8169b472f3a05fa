/**
 * Windows of one launch are more alike than windows of two: what was compiled and inlined, where things lie in memory, the
 * load of that hour. How much more differs from function to function (one is inlined in every fourth launch, the next never),
 * so that no common correlation does justice to all. What is counted is therefore launches: the windows of one are added up,
 * and two sets differ if their launches do (S. H. Hurlbert, "Pseudoreplication and the design of ecological field
 * experiments", Ecological Monographs 54, 1984).
 */
import type { Observation } from './reference.ts';
import type { Column } from './table.ts';

export interface Units {
  /** Windows that are counted as one, as indices into the columns; those of the first side first. */
  readonly windows: readonly (readonly number[])[];
  /** Per unit: 0 for the first side, 1 for the second. */
  readonly sides: Float64Array;
  /** Launches of each side; as many as windows where nobody knows. */
  readonly launches: readonly [number, number];
  /** What the squares of standard errors are multiplied with, where each side is of one launch; 1 elsewhere. */
  readonly inflation: number;
}

/**
 * Correlation of windows that is assumed where it cannot be seen, because each side is of one launch: the upper end of what
 * recorded services showed (docs/internals/cpu-diff.md).
 */
const ASSUMED_CORRELATION = 0.3;

export function groupUnits(columns: readonly Column[]): Units {
  const launchesOf = (side: 0 | 1): number[][] => {
    const launches = new Map<string, number[]>();
    for (const [at, column] of columns.entries()) {
      if (column.side !== side) continue;
      const name = column.window.launch ?? `window ${at}`;
      const known = launches.get(name);
      if (known === undefined) launches.set(name, [at]);
      else known.push(at);
    }
    return [...launches.values()];
  };
  const [a, b] = [launchesOf(0), launchesOf(1)];
  const launches = [a.length, b.length] as const;
  if (a.length > 1 || b.length > 1) {
    const sides = Float64Array.from([...a, ...b].keys(), (at) => (at < a.length ? 0 : 1));
    return { windows: [...a, ...b], sides, launches, inflation: 1 };
  }
  const count = columns.length / 2;
  return {
    windows: columns.map((_, at) => [at]),
    sides: Float64Array.from(columns, ({ side }) => side),
    launches,
    // The mean of n windows of one launch varies 1 + (n − 1)r times as much as of n launches; what is seen within is 1 − r.
    inflation: (1 + (count - 1) * ASSUMED_CORRELATION) / (1 - ASSUMED_CORRELATION),
  };
}

/** The same function by units. */
export function addUp(observation: Observation, { windows, sides }: Units): Observation {
  const add = (values: Float64Array): Float64Array =>
    Float64Array.from(windows, (unit) => unit.reduce((sum, at) => sum + (values[at] ?? 0), 0));
  const { observed, expected, samplingVariance } = observation;
  const variance = (side: 0 | 1): number => {
    const own = windows.filter((_, at) => sides[at] === side);
    const size = own.reduce((sum, unit) => sum + unit.length, 0) / Math.max(own.length, 1);
    return samplingVariance[side] / Math.max(size, 1);
  };
  return {
    ...observation,
    observed: add(observed),
    expected: add(expected),
    samplingVariance: [variance(0), variance(1)],
  };
}
