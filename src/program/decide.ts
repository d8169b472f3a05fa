/**
 * Decides which program a daemon is started from, and prepares that: makes the copy, lets a new program test itself, and
 * notes that it is tried. Only for who holds the start lock (`start-lock.ts`). What is decided is `choose.ts`.
 */
import { DroverError } from '../protocol/index.ts';
import { choose } from './choose.ts';
import { copyInto } from './copy.ts';
import { installedProgram } from './installed.ts';
import { isUsable, type Program } from './program.ts';
import { notePending, readPending, readRecord } from './records.ts';
import { copyState, testOnCopy } from './run-self-test.ts';

export interface StartQuestion {
  readonly home: string;
  readonly stateFile: string;
  readonly isRecovery: boolean;
  readonly nowMs: number;
}

export type Decision =
  | {
      readonly kind: 'run';
      readonly program: Program;
      /** Why it runs from where it is installed; null: it does not. */
      readonly inPlace: string | null;
      /** What whoever asked should know. */
      readonly note: string | null;
    }
  /** A copy, in the place of `over`, which is to be started where it does not come up. The try is noted by this id. */
  | { readonly kind: 'try'; readonly program: Program; readonly over: Program; readonly id: string };

/** Throws DROVER_DOWNGRADE. Whatever else is wrong ends with a program that can be started. */
export const decide = async (question: StartQuestion): Promise<Decision> => {
  const { home, isRecovery } = question;
  const installed = installedProgram();
  const prepared = copyInto(home, installed);
  const [own, inPlace] = prepared.program === null ? [installed, prepared.reason] : [prepared.program, null];
  const [record, pending] = [readRecord(home), readPending(home)];
  const choice = choose({ own, record, pending, isUsable, isRecovery });
  const run = (program: Program, note: string | null): Decision => ({
    kind: 'run',
    program,
    inPlace: program.isCopy ? null : inPlace,
    note,
  });
  if (choice.kind === 'run') return run(choice.program, choice.note);
  if (choice.kind === 'refuse') {
    const { version: to } = choice.program;
    throw new DroverError('DROVER_DOWNGRADE', { from: choice.over.version, to, home });
  }
  const { program, over } = choice;
  const problem = await tryOut(program, question);
  if (problem !== null) return run(over, `Drover ${program.version} ${problem}; ${over.version} goes on`);
  const id = `start-${question.nowMs}`;
  try {
    notePending(home, { id, from: over, to: program, atMs: question.nowMs, problem: null });
  } catch (error) {
    return run(
      over,
      `Drover ${program.version} cannot be tried (${(error as Error).message}); ${over.version} goes on`,
    );
  }
  return { kind: 'try', program, over, id };
};

/** What is wrong with it; null: nothing was found. */
const tryOut = async (program: Program, { home, stateFile }: StartQuestion): Promise<string | null> => {
  try {
    const { problems } = await testOnCopy(home, program, (folder) => copyState(stateFile, folder));
    return problems.length === 0 ? null : `failed its self-test (${problems.join('; ')})`;
  } catch (error) {
    return `cannot be tested (${(error as Error).message})`;
  }
};
