/**
 * Says how the state is doing, wherever somebody may look: as events, in the daemon's log (once, not at each try), in
 * `daemon status`, and beside the answer to the next command.
 */
import type { StateDocument } from '../protocol/index.ts';
import type { FallBack, Store } from '../store/index.ts';

export interface StateWatch {
  /** What whoever types the next command should know. A fall-back is told once, trouble as long as it lasts. */
  notice(): string | null;
  describe(): StateDocument;
}

export const watchState = (store: Store, log: (line: string) => void): StateWatch => {
  const { fallBack, lostChanges, trouble } = store.condition;
  let isFallBackTold = false;

  const say = (
    type: 'state-restored' | 'state-damaged' | 'state-unwritable' | 'state-written',
    reason: string,
  ): void => {
    log(reason);
    store.events.append({ app: null, type, reason });
  };
  if (fallBack !== null) say('state-restored', describeFallBack(fallBack));
  if (lostChanges > 0) {
    say('state-damaged', `the last ${lostChanges} changes in the journal of the state were damaged and are lost`);
  }
  const sayUnwritable = (reason: string): void =>
    say(
      'state-unwritable',
      `the state cannot be written (${reason}): what runs goes on, changes are refused, and what happens is kept in memory`,
    );
  if (trouble !== null) sayUnwritable(trouble.reason);
  store.onTrouble((now, before) => {
    if (now !== null) return sayUnwritable(now.reason);
    const dropped = before?.dropped ? ` (${before.dropped} events were too many to be kept)` : '';
    say('state-written', `the state can be written again, and ${before?.kept ?? 0} kept records are${dropped}`);
  });

  return {
    notice() {
      const current = store.condition.trouble;
      if (current !== null) return `the state cannot be written (${current.reason}); changes are refused until it can.`;
      if (fallBack === null || isFallBackTold) return null;
      isFallBackTold = true;
      return `${describeFallBack(fallBack)}.`;
    },
    describe() {
      const { trouble: current, backups } = store.condition;
      return {
        status: current === null ? 'written' : 'unwritable',
        since: timeOf(current?.sinceMs),
        reason: current?.reason ?? null,
        keptRecords: current?.kept ?? 0,
        droppedEvents: current?.dropped ?? 0,
        lastBackupAt: timeOf(backups?.lastAtMs),
        backupFailure: backups?.failure ?? null,
        fallBack:
          fallBack === null
            ? null
            : {
                at: new Date(fallBack.atMs).toISOString(),
                reason: fallBack.reason,
                backupAt: new Date(fallBack.backupAtMs).toISOString(),
                setAside: fallBack.setAside,
              },
      };
    },
  };
};

const describeFallBack = ({ reason, backupAtMs, setAside }: FallBack): string =>
  `the state's file was not good (${reason}); its backup of ${new Date(backupAtMs).toISOString()} is used instead, and changes made since then are lost${setAside === null ? '' : ` (the file is kept as ${setAside})`}`;

const timeOf = (atMs: number | null | undefined): string | null =>
  atMs === null || atMs === undefined ? null : new Date(atMs).toISOString();
