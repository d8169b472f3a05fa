/** The daemon of these tests is as true as the real one where it matters to an agent: one that was only busy is heard. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { openFakeDaemon } from './support/fake-daemon.ts';

const ECHO = `process.on('message', (message) => process.send({ got: message })); setInterval(() => {}, 1000);`;
const REPORT_EVERY_MS = 10;
/**
 * Long enough for an agent to look for another daemon: where nothing happens one of ten reports is sent, and three that are due
 * while it is not acknowledged are enough.
 */
const BUSY_MS = 30 * REPORT_EVERY_MS;

/** As a test does that reads a file of megabytes again and again. */
const beBusy = (): false => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
  return false;
};

it('A daemon that was busy for long is heard on the channel, by an agent that has come to its socket meanwhile', async () => {
  await using daemon = await openFakeDaemon();
  for (let round = 0; round < 5; round++) {
    const worker = await daemon.start({ app: ['-e', ECHO], reportEveryMs: REPORT_EVERY_MS });
    await worker.said('report');
    const hasComeAgain = (): boolean => worker.messages.filter(({ type }) => type === 'hello').length > 1;
    // Whichever way it comes by. An agent that was given no core meanwhile has missed nothing.
    await eventually('the agent says hello again', () => hasComeAgain() || beBusy(), { withinMs: 30_000 });
    worker.send({ type: 'message', payload: round });
    const { payload } = await worker.said('message');
    assert.deepEqual(payload, { got: round });
  }
});
