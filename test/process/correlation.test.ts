/** Which events carry one id: those of a command, under the trace of its caller, and those of a crash. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { EventDocument } from '../../src/protocol/index.ts';
import {
  type Place,
  openPlace,
  readApp,
  readEvents,
  readWhy,
  readyWorkers,
  service,
  startApp,
  untilApp,
} from '../support/service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** The ids of what has happened since the `seen`-th event, in the order in which they came. */
async function idsSince(
  { drover }: Place,
  seen: number,
): Promise<{ events: readonly EventDocument[]; ids: unknown[] }> {
  const events = (await readEvents(drover, 'shop')).slice(seen);
  return { events, ids: [...new Set(events.map(({ data }) => data['correlation']))] };
}

describe('events that belong together', () => {
  it('carry the trace of whoever ran the command, or an id of their own', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    await startApp(drover, 'shop', service(port), { env: { TRACEPARENT: `00-${TRACE}-00f067aa0ba902b7-01` } });
    const { events, ids } = await idsSince(place, 0);
    const types = new Set(events.map(({ type }) => type));
    for (const type of [
      'app-added',
      'operation-started',
      'worker-spawned',
      'worker-ready',
      'operation-ended',
    ] as const) {
      assert.ok(types.has(type), [...types].join());
    }
    assert.deepEqual(ids, [TRACE]);

    await drover.reload('shop');
    const reload = await idsSince(place, events.length);
    assert.equal(reload.ids.length, 1, JSON.stringify(reload.events));
    assert.match(String(reload.ids[0]), /^(?!4bf92f35)[\da-f]{32}$/);

    const seen = events.length + reload.events.length;
    const [victim] = readyWorkers(await readApp(drover, 'shop'));
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await untilApp(
      drover,
      'shop',
      'has another worker',
      (app) => readyWorkers(app).length === 2 && readyWorkers(app).every(({ pid }) => pid !== victim?.pid),
    );
    const crash = await idsSince(place, seen);
    const ofVictim = crash.events.filter(({ worker }) => worker === victim?.id);
    assert.deepEqual(
      ofVictim.map(({ type }) => type),
      ['worker-exited', 'worker-spawned', 'worker-ready'],
    );
    assert.equal(new Set(ofVictim.map(({ data }) => data['correlation'])).size, 1);
    const crashed = ofVictim[0]?.data['correlation'];
    assert.notEqual(crashed, TRACE);
    assert.notEqual(crashed, reload.ids[0]);
    const { chain } = await readWhy(drover, 'shop');
    // What comes after it may be about the whole app, as its health is, and belongs to nothing.
    const last = chain.findLast(({ event }) => event.startsWith(`${victim?.id}: `));
    assert.equal(last?.correlation, crashed, JSON.stringify(chain));
  });

  it('carry it over the death of the daemon that began them', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const wish = join(drover.home, 'dies-at');
    await drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: wish } });
    await startApp(drover, 'shop', service(port));
    const { events } = await idsSince(place, 0);
    writeFileSync(wish, 'shop process-started');
    const { outcome, operation } = await drover.reload('shop');
    assert.equal(outcome, 'completed');
    const reload = await idsSince(place, events.length);
    const words = reload.events.filter(({ data }) => data['operation'] === operation);
    assert.deepEqual(
      words.map(({ type }) => type),
      ['operation-started', 'operation-resumed', 'operation-ended'],
    );
    assert.equal(new Set(words.map(({ data }) => data['correlation'])).size, 1, JSON.stringify(words));
    assert.match(String(words[0]?.data['correlation']), /^[\da-f]{32}$/);
  });
});
