/**
 * `drover daemon upgrade`: this process becomes another program, with the same pid, children and descriptors. Everything
 * that can be found out before is found out before; from then on the program before is a guard's end of file away
 * (docs/internals/upgrade.md).
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  compareVersions,
  isSameProgram,
  notePending,
  readCopy,
  testOnCopy,
  VERSIONS_FOLDER,
  type Program,
} from '../../program/index.ts';
import { DroverError, type Clock, type UpgradeStartDocument } from '../../protocol/index.ts';
import type { Store } from '../../store/index.ts';

export interface UpgradeParts {
  readonly home: string;
  readonly own: Program;
  readonly store: Pick<Store, 'assertWritable' | 'copyTo' | 'events'>;
  readonly clock: Clock;
  /** Becomes the program, and does not come back. */
  readonly become: (program: Program) => Promise<void>;
  readonly onStep: (step: string) => void;
}

export interface Upgrades {
  /** Begins it, and returns once nothing is known to stand in its way. Throws what the catalogue says. */
  begin(root: string): Promise<UpgradeStartDocument>;
  /** The program that tests itself at this moment, which nothing on the disk tells yet. */
  readonly tested: Program | null;
}

export const openUpgrades = (parts: UpgradeParts): Upgrades => {
  let isUnderWay = false;
  let tested: Program | null = null;
  return {
    get tested() {
      return tested;
    },
    async begin(root) {
      if (isUnderWay) throw impossible('another upgrade is under way', 'Wait for it.');
      isUnderWay = true;
      try {
        const answer = await begin(parts, root, (program) => (tested = program));
        if (answer.upgrade === null) isUnderWay = false;
        return answer;
      } catch (error) {
        isUnderWay = false;
        throw error;
      } finally {
        tested = null;
      }
    },
  };
};

const begin = async (
  parts: UpgradeParts,
  root: string,
  onTest: (program: Program) => void,
): Promise<UpgradeStartDocument> => {
  const { home, own, store, clock, onStep } = parts;
  const target = findTarget(home, root);
  if (isSameProgram(target, own)) return { upgrade: null };
  const versions = { from: own.version, to: target.version };
  if (compareVersions(target.version, own.version) < 0) {
    throw new DroverError('DROVER_DOWNGRADE', { ...versions, home, isRunning: true });
  }
  if (typeof process.execve !== 'function') {
    throw impossible(`Node ${process.versions.node}, which runs it, cannot become another program`);
  }
  if (!own.isCopy) throw impossible('it runs from where it is installed, and there is nothing to go back to');
  store.assertWritable();
  onTest(target);
  await testTarget(parts, target);
  onStep('upgrade-tested');
  const id = `upgrade-${clock.wallMs().toString(36)}`;
  notePending(home, { id, from: own, to: target, atMs: clock.wallMs(), problem: null });
  onStep('upgrade-noted');
  store.events.append({
    app: null,
    type: 'daemon-upgrading',
    reason: `from ${versions.from} to ${versions.to}`,
    data: { id, ...versions, program: target.root },
  });
  // After the answer to whoever asked for it.
  setImmediate(() => void parts.become(target));
  return { upgrade: { id, ...versions } };
};

/** Only what lies in the home: anything else may be half written, or gone when it is needed again. */
const findTarget = (home: string, root: string): Program => {
  const target = dirname(root) === join(home, VERSIONS_FOLDER) ? readCopy(root) : null;
  if (target === null) throw impossible(`${root} is no whole copy of Drover in this home`);
  return target;
};

const testTarget = async ({ home, own, store }: UpgradeParts, target: Program): Promise<void> => {
  const { problems, stuck } = await testOnCopy(home, target, (folder) => copyState(store, folder));
  if (problems.length > 0) {
    const problem = problems.join('; ');
    throw new DroverError('DROVER_UPGRADE_REFUSED', { from: own.version, to: target.version, problem });
  }
  if (stuck.length > 0) {
    const advice =
      'Wait for it (`drover operation` lists what is under way), or end it with Ctrl-C where it was begun.';
    throw impossible(`version ${target.version} could not go on with what is under way: ${stuck.join(', ')}`, advice);
  }
};

const copyState = (store: Pick<Store, 'copyTo'>, folder: string): string => {
  const file = join(folder, 'state.db');
  mkdirSync(folder, { mode: 0o700 });
  store.copyTo(file);
  return file;
};

const impossible = (message: string, advice?: string): DroverError =>
  new DroverError('DROVER_UPGRADE_IMPOSSIBLE', { message, ...(advice === undefined ? {} : { advice }) });
