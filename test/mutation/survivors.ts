/** Why a mutant that no property notices does no harm. A mutant without an entry is a hole in the properties. */

interface Justification {
  readonly machine: string;
  readonly matches: RegExp;
  readonly why: string;
}

const JUSTIFIED: readonly Justification[] = [
  {
    machine: 'worker',
    matches: /: unexpected → /,
    why: 'no history reaches the cell; the coverage test holds it to that',
  },
  {
    machine: 'operation',
    matches: /: unexpected → /,
    why: 'no history reaches the cell; the coverage test holds it to that',
  },
  {
    machine: 'adoption',
    matches: /: unexpected → /,
    why: 'no history reaches the cell; the coverage test holds it to that',
  },
];

export const whyHarmless = (machine: string, mutant: string): string | null =>
  JUSTIFIED.find((entry) => entry.machine === machine && entry.matches.test(mutant))?.why ?? null;
