/** Why a mutant that no property notices does no harm. A mutant without an entry is a hole in the properties. */

interface Justification {
  readonly machine: string;
  readonly matches: RegExp;
  readonly why: string;
}

const UNREACHED = 'nothing leads to this cell; the coverage test fails when something does';

const JUSTIFIED: readonly Justification[] = [
  { machine: 'worker', matches: /: unexpected → /, why: UNREACHED },
  { machine: 'operation', matches: /: unexpected → /, why: UNREACHED },
  { machine: 'adoption', matches: /: unexpected → /, why: UNREACHED },
  { machine: 'probe', matches: /: unexpected → /, why: UNREACHED },
  { machine: 'healing', matches: /: unexpected → /, why: UNREACHED },
  {
    machine: 'healing',
    matches: /^well × (well|renewed|release): ignore → (ease|pardon)$/,
    why: 'the same but for the turn: what is well becomes well',
  },
  {
    machine: 'worker',
    matches: /^(starting|running) × start: ignore → wantUp$/,
    why: 'the same: a worker that should be down has left this phase',
  },
  {
    machine: 'worker',
    matches: /^(starting|running) × (exited|spawn-failed): crash(Unborn)? → landed(Unborn)?$/,
    why: 'the same: without an ending, and wanted up, landing is recovering',
  },
  {
    machine: 'operation',
    matches: /^preparing × restored: begin → resend$/,
    why: 'the same: nothing is under way yet that could be said again, and what waits begins after that',
  },
  {
    machine: 'operation',
    matches: /^booting × drained: ignore → noteDrained$/,
    why: 'the same: nothing ends or stops while something boots',
  },
  {
    machine: 'operation',
    matches: /^draining × booted: ignore → noteBooted$/,
    why: 'the same: nothing boots, and nothing is down, while something ends',
  },
  {
    machine: 'operation',
    matches: /^reverting × abort: ignore → abortRest$/,
    why: 'the same: nothing waits any more when it is put back',
  },
  {
    machine: 'operation',
    matches: /^(done|failed|stuck) × (restored: ignore → resend|drained: ignore → noteGone)$/,
    why: 'the same: no slot waits for an answer after the end',
  },
];

export const whyHarmless = (machine: string, mutant: string): string | null =>
  JUSTIFIED.find((entry) => entry.machine === machine && entry.matches.test(mutant))?.why ?? null;
