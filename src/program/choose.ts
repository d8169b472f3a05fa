/**
 * Which program a home's daemon is started from. Pure: whoever starts one (a command, systemd by `daemon/begin.ts`) reads
 * the records and does what is said here.
 *
 * A daemon that comes back after its death goes on with the program that it had; a new program only comes in at a start
 * that somebody asked for, and is tried first. One that was tried and did not come up is not tried again by itself.
 */
import { isSameProgram, type Program } from './program.ts';
import type { Pending, ProgramRecord } from './records.ts';
import { compareVersions } from './version.ts';

export interface Places {
  /** The program that the caller belongs to: its copy in this home, or, where there is none, as it was installed. */
  readonly own: Program;
  readonly record: ProgramRecord | null;
  readonly pending: Pending | null;
  readonly isUsable: (program: Program) => boolean;
  /** The daemon is being brought back after its death; else somebody starts it. */
  readonly isRecovery: boolean;
}

export type Choice =
  /** `note`: what whoever asked should know. */
  | { readonly kind: 'run'; readonly program: Program; readonly note: string | null }
  /** Self-test first; where it fails, or does not come up, `over` is run. */
  | { readonly kind: 'try'; readonly program: Program; readonly over: Program }
  /** Older than what served last. */
  | { readonly kind: 'refuse'; readonly program: Program; readonly over: Program };

export const choose = ({ own, record, pending, isUsable, isRecovery }: Places): Choice => {
  const run = (program: Program, note: string | null = null): Choice => ({ kind: 'run', program, note });
  // It was being tried when it died, or was killed: the one before knows what to do.
  if (pending !== null && isUsable(pending.from)) {
    return run(pending.from, `Drover ${pending.to.version} did not come up; ${pending.from.version} goes on`);
  }
  const last = record?.program ?? null;
  if (last === null || isSameProgram(last, own)) return run(own);
  if (compareVersions(own.version, last.version) < 0) {
    if (isRecovery && isUsable(last)) return run(last);
    return { kind: 'refuse', program: own, over: last };
  }
  if (!isUsable(last)) return run(own);
  if (isRecovery) return run(last);
  const { lastUpgrade } = record ?? {};
  if (lastUpgrade?.outcome === 'rolled-back' && lastUpgrade.program === own.root) {
    const why = `Drover ${own.version} is installed and did not come up when it was tried`;
    return run(last, `${why}; ${last.version} goes on. \`drover daemon upgrade\` tries it again`);
  }
  // Without a copy there is nothing to go back from, and nothing is tried.
  if (!own.isCopy) {
    const why = `Drover ${own.version} is installed and cannot be prepared in this home`;
    return last.version === own.version ? run(own) : run(last, `${why}; ${last.version} goes on`);
  }
  return { kind: 'try', program: own, over: last };
};
