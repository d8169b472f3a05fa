/**
 * What a daemon that serves makes of the records of its programs (`program/records.ts`): it notes itself as the one that
 * served last, and ends an upgrade that was begun: as completed, where it is the new program, and as put back, where it is
 * the one before. A try that a command is making at this moment is left to that. Old copies are removed later.
 */
import {
  isStartedBeside,
  readPending,
  readRecord,
  removeOld,
  settlePending,
  syncCopy,
  writeRecord,
  isSameProgram,
  type Pending,
  type Program,
} from '../../program/index.ts';
import type { Clock, UpgradeDocument } from '../../protocol/index.ts';
import type { Store } from '../../store/index.ts';

export interface SettleParts {
  readonly home: string;
  readonly own: Program;
  readonly store: Pick<Store, 'condition' | 'events'>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** An upgrade that was begun, and this program is what it was begun from: the new one is gone again. */
export const hasComeBack = (home: string, own: Program): boolean => {
  const pending = readPending(home);
  return pending !== null && !isSameProgram(pending.to, own);
};

/** It is the new program of an upgrade, and has not served yet. */
export const isOnTrial = (home: string, own: Program): boolean => {
  const pending = readPending(home);
  return pending !== null && isSameProgram(pending.to, own);
};

/** Returns how the last upgrade ended. Never throws: what the disk does not take is noted once it does. */
export const settleProgram = (parts: SettleParts): UpgradeDocument | null => {
  const { home, own, log } = parts;
  const [record, pending] = [readRecord(home), readPending(home)];
  const isOthers = pending !== null && isBeingTried(pending, parts);
  const ended = pending === null || isOthers ? null : endOf(pending, parts);
  const lastUpgrade = ended ?? record?.lastUpgrade ?? null;
  const isNew = record === null || !isSameProgram(record.program, own);
  const before = isNew ? (record?.program ?? null) : record.before;
  const note = (): boolean => tryTo(log, () => writeRecord(home, { program: own, before, lastUpgrade }));
  if ((isNew || ended !== null) && !note()) {
    const timer = setInterval(() => note() && clearInterval(timer), NOTE_AGAIN_MS).unref();
  }
  // Also where that was not noted: it serves, and nobody may take it for one that did not come up. To remove needs no room.
  if (!isOthers) tryTo(log, () => settlePending(home));
  if (ended !== null) tryTo(log, () => tell(ended, parts));
  return lastUpgrade;
};

const NOTE_AGAIN_MS = 10_000;

const tryTo = (log: SettleParts['log'], work: () => void): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    log(`which program serves cannot be noted: ${(error as Error).message}`);
    return false;
  }
};

/** A guard has brought this program back beside a command that tries the next one: it says nothing of that. */
const isBeingTried = ({ to }: Pending, { home, own }: SettleParts): boolean =>
  !isSameProgram(to, own) && isStartedBeside(home);

const endOf = ({ id, from, to, atMs, problem }: Pending, { own, clock, store }: SettleParts): UpgradeDocument => {
  const isCompleted = isSameProgram(to, own);
  const { wentBack } = store.condition;
  const state =
    wentBack === null
      ? ''
      : `; the state is as it was before the new version changed it (what that left is kept as ${wentBack.setAside})`;
  return {
    id,
    from: from.version,
    to: to.version,
    outcome: isCompleted ? 'completed' : 'rolled-back',
    reason: isCompleted ? null : `${problem ?? 'it ended, or was killed, before it served'}${state}`,
    at: new Date(atMs).toISOString(),
    durationMs: Math.max(0, clock.wallMs() - atMs),
    program: to.root,
  };
};

const tell = ({ id, from, to, outcome, reason, durationMs }: UpgradeDocument, { store, log }: SettleParts): void => {
  const isCompleted = outcome === 'completed';
  const text = isCompleted
    ? `from ${from} to ${to}`
    : `${to} did not come up, and ${from} serves again: ${reason ?? ''}`;
  log(`upgrade ${text}`);
  store.events.append({
    app: null,
    type: isCompleted ? 'daemon-upgraded' : 'daemon-upgrade-failed',
    reason: text,
    data: { id, from, to, durationMs },
  });
};

/** After a start, when nobody waits any more. */
const TIDY_AFTER_MS = 5_000;

export interface TidyParts extends Pick<SettleParts, 'home' | 'own' | 'log'> {
  /** An upgrade lets it test itself at this moment. */
  readonly tested: () => Program | null;
}

/** Makes the copy last, and removes those that nobody needs. Ends with the returned function. */
export const tidyLater = ({ home, own, log, tested }: TidyParts): (() => void) => {
  let hasEnded = false;
  const tidy = async (): Promise<void> => {
    try {
      if (own.isCopy) await syncCopy(own.root);
      if (hasEnded) return;
      const { before = null } = readRecord(home) ?? {};
      removeOld(
        home,
        [own, before, tested()].filter((program) => program !== null),
      );
    } catch (error) {
      log(`copies of Drover in the home cannot be tidied up: ${(error as Error).message}`);
    }
  };
  const timer = setTimeout(() => void tidy(), TIDY_AFTER_MS).unref();
  return () => {
    hasEnded = true;
    clearTimeout(timer);
  };
};
