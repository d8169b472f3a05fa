/** The part of the error catalogue (`errors.ts`) that is about versions of Drover. */
import { entry } from './catalogue.ts';

export const UPGRADE_ERRORS = {
  DROVER_DOWNGRADE: entry(
    409,
    1,
    'A Drover that is older than the one that the home’s daemon was last.',
    (d) =>
      `Drover ${String(d['to'])} is older than ${String(d['from'])}, which the daemon of ${String(d['home'])} ${d['isRunning'] === true ? 'is' : 'was last'}.`,
    (d) =>
      `Install Drover ${String(d['from'])} or later again. To go back all the same: \`drover daemon stop --keep-workers\`, then \`rm ${String(d['home'])}/versions/current.json\`, then \`drover daemon start\`; a state that the newer one has changed is refused then, with advice (DROVER_STATE_NEWER).`,
  ),
  DROVER_UPGRADE_REFUSED: entry(
    409,
    1,
    'A new version that failed its self-test. The daemon goes on as it was.',
    (d) => `Drover ${String(d['to'])} failed its self-test: ${String(d['problem'])}.`,
    (d) => `Nothing was changed: Drover ${String(d['from'])} goes on, and so do all workers.`,
  ),
  DROVER_UPGRADE_IMPOSSIBLE: entry(
    409,
    1,
    'An upgrade in place that cannot be begun now, or not here.',
    (d) => `The daemon cannot be upgraded in place: ${String(d['message'])}.`,
    (d) =>
      d['advice']
        ? String(d['advice'])
        : '`drover daemon stop --keep-workers`, then `drover daemon start`, does the same with a pause in supervision; workers go on.',
  ),
  DROVER_UPGRADE_PUT_BACK: entry(
    500,
    7,
    'A new version that did not come up, so that the one before serves again.',
    (d) =>
      `Drover ${String(d['to'])} did not come up: ${String(d['reason'])}. Drover ${String(d['from'])} serves again, and all workers went on.`,
    () =>
      '`drover daemon status` shows it; the daemon’s log (`daemon.log` in the home, or the journal) has what the new version said.',
  ),
} as const;
