/**
 * A process with the daemon's options, a state on the disk and the room of alerts, in which the alerts of many apps begin
 * and end without pause; prints what that takes. Told by the parent: where the state is, for how long, and the receivers.
 *
 *     node --expose-gc room.ts <folder> <seconds> <receivers as JSON>
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { mapLargeBlocks } from '../../../src/os/index.ts';
import type { ReceiverConfig } from '../../../src/protocol/index.ts';
import { bad, good, openTestAlerts } from '../../alerts/support.ts';
import { eventually } from '../../support/eventually.ts';

const APPS = 150;
const STEP_MS = 50;
/** Of the time that is measured, the beginning, in which queues fill and code is compiled. */
const WARM_UP = 0.4;

const [folder = '', seconds = '5', receivers = '[]'] = process.argv.slice(2);
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});
const ownBytes = (): number => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const waiting = (): readonly number[] => alerts.document().receivers.map((receiver) => receiver.waiting);

mapLargeBlocks();
const { alerts, events } = openTestAlerts(folder, JSON.parse(receivers) as ReceiverConfig[], {
  // All else is as it is by default.
  groupIntervalMs: 50,
});
const endsAt = performance.now() + Number(seconds) * 1_000;
const warmAt = performance.now() + Number(seconds) * 1_000 * WARM_UP;
let warmBytes = 0;
let judged = 0;
let mostWaiting = 0;
let longestMs = 0;
while (performance.now() < endsAt) {
  const from = performance.now();
  const app = `app-${judged % APPS}`;
  const nth = Math.floor(judged / APPS);
  // By its summary the receiver knows when it was found.
  alerts.judge([
    bad(`slow-${nth}`, { app, summary: String(Date.now()), description: 'x'.repeat(2_000) }),
    ...(nth === 0 ? [] : [good(`slow-${nth - 1}`, { app })]),
  ]);
  longestMs = Math.max(longestMs, performance.now() - from);
  judged += 1;
  // It reads all that was given up.
  if (judged % 50 === 0) mostWaiting = Math.max(mostWaiting, ...waiting());
  if (warmBytes === 0 && performance.now() > warmAt) warmBytes = ownBytes();
  // The history is the daemon's, and bounded there.
  (events as unknown[]).length = 0;
  await after(STEP_MS);
}
const lastBytes = ownBytes();
await eventually('the good receiver has taken what is left', () => waiting()[0] === 0);
const { undelivered } = alerts.document();
process.stdout.write(
  JSON.stringify({
    judged,
    mostWaiting,
    dead: undelivered.length,
    grownBytes: lastBytes - warmBytes,
    stateBytes: statSync(join(folder, 'state.db')).size,
    longestMs,
  }),
);
process.exit();
