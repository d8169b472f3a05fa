/**
 * The program tests itself, in a process of its own, before it is entrusted with a home: loads everything that the daemon
 * is made of, its machine code included, tries its migrations on a copy of the state, and looks whether it understands
 * what is in there. Prints a verdict (`program/run-self-test.ts`) and changes nothing else.
 *
 * Argument: the copy, in a folder of its own; empty: there is no state yet.
 */
import { accessSync, constants } from 'node:fs';
import { findConfigProblem } from '../api/index.ts';
import { closeDescriptor, openMemoryFile, readMemoryFile } from '../os/index.ts';
import { ownProgram, type Verdict } from '../program/index.ts';
import type { Clock } from '../protocol/index.ts';
import { MIGRATIONS, openStore, type Store } from '../store/index.ts';
import { readMemory } from '../supervisor/index.ts';
import { AGENT_PATH, compose } from './compose.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** What goes wrong is what there is to tell; the rest is looked at all the same. */
const trying = (what: string, work: () => readonly string[]): readonly string[] => {
  try {
    return work();
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
};

const testMachineCode = (): readonly string[] => {
  const word = 'drover';
  const file = openMemoryFile(word);
  const read = readMemoryFile(file);
  closeDescriptor(file);
  return read === word ? [] : ['system calls do not do what they should'];
};

const testFiles = (): readonly string[] => {
  accessSync(AGENT_PATH, constants.R_OK);
  return typeof compose === 'function' ? [] : ['the daemon is not there'];
};

const testConfigs = (store: Store): readonly string[] =>
  store.apps.list().flatMap(({ name, config }) => {
    const problem = findConfigProblem(config);
    return problem === null ? [] : [`it does not understand the configuration of ${name}: ${problem}`];
  });

const stuckIn = (store: Store): readonly string[] =>
  store.operations
    .list({ status: 'running' })
    .filter(({ state }) => readMemory(state) === null)
    .map(({ kind, app }) => `${kind} of ${app}`);

const judge = (file: string): Verdict => {
  const { version } = ownProgram();
  const problems = [...trying('native code', testMachineCode), ...trying('files', testFiles)];
  let stuck: readonly string[] = [];
  if (file !== '') {
    problems.push(
      ...trying('the state', () => {
        const store = openStore({ file, clock, random: Math.random, version });
        try {
          stuck = stuckIn(store);
          return testConfigs(store);
        } finally {
          store.close();
        }
      }),
    );
  }
  return { version, schema: MIGRATIONS.length, problems, stuck };
};

process.stdout.write(`${JSON.stringify(judge(process.argv[2] ?? ''))}\n`);
