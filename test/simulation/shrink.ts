/** The shortest history that still goes wrong in the same way: happenings are left out as long as that holds. */
import type { Happening } from './history.ts';
import { Simulation, type SimulationReport } from './simulation.ts';

/** What a violation says before the particulars. */
export const sentenceOf = (violation: string): string => violation.split(' (')[0] ?? violation;

export interface Shrunk {
  /** Places in the history that the seed makes. */
  readonly kept: readonly number[];
  readonly report: SimulationReport;
}

export const shrink = async (
  seed: number,
  history: readonly Happening[],
  violation: string,
  isBroken = false,
): Promise<Shrunk> => {
  const play = async (kept: readonly number[]): Promise<SimulationReport> =>
    new Simulation(seed, isBroken).play(kept.flatMap((at) => history[at] ?? []));
  let kept = history.map((_happening, at) => at);
  let report = await play(kept);
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      const tried = await play(fewer);
      if (tried.violation !== null && sentenceOf(tried.violation) === sentenceOf(violation)) {
        kept = fewer;
        report = tried;
      } else from += size;
    }
  }
  return { kept, report };
};
