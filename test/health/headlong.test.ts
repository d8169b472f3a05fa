/**
 * Workers that leak, under a limit: recycled before they reach it. They leak so fast that half a minute has to do, which is
 * also how long a daemon that has just come up does nothing.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EventDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningLoad, startLoad } from '../support/load/index.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { fixture, openPlace, PATIENT, type Place, readEvents, type Settings, startApp } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const LIMIT_MB = 256;
const PATIENT_WAIT = { withinMs: 110_000, everyMs: 500 };

const leaking = (port: number, notes: string, more: Settings): Settings => ({
  script: fixture('leaks-by-request.cjs'),
  port,
  instances: 2,
  ...PATIENT,
  ...more,
  env: { LEAK: 'buffers', LEAK_MB_PER_MINUTE: '100', BALLAST_MB: '110', NOTES: notes },
});
const budget = (more: Settings = {}): Settings => ({
  budgets: { rssMB: { max: LIMIT_MB, critical: true }, ...more },
});

describe('a worker that is about to run out of memory', { concurrency: true, timeout: 180_000 }, () => {
  let place: Place;
  const loads: RunningLoad[] = [];
  before(async () => {
    place = await openPlace();
    await startApp(place.drover, 'first', { script: fixture('hello.cjs'), port: place.port });
  });
  after(async () => {
    await Promise.all(loads.map(async (load) => load.stop()));
    await place[Symbol.asyncDispose]();
  });

  const run = async (name: string, settings: Settings): Promise<readonly RunningLoad[]> => {
    const port = await freePort();
    await startApp(place.drover, name, leaking(port, join(place.drover.home, `notes-${name}`), settings));
    const own = [
      await startLoad({ mode: 'kept', port, connections: 4, pauseMs: [20, 60], seconds: 170 }),
      await startLoad({ mode: 'new', path: '/slow', port, connections: 4, pauseMs: [0, 100], seconds: 170 }),
    ];
    loads.push(...own);
    return own;
  };
  const untilEvents = async (app: string, what: string, holds: (events: readonly EventDocument[]) => boolean) => {
    let last: readonly EventDocument[] = [];
    try {
      return await eventually(
        `${app}: ${what}`,
        async () => {
          last = await readEvents(place.drover, app);
          return holds(last) && last;
        },
        PATIENT_WAIT,
      );
    } catch (error) {
      const told = last.map(({ worker, type, reason }) => `${worker ?? ''} ${type} ${reason ?? ''}`);
      throw new Error(`${app} never: ${what}\n${told.join('\n')}`, { cause: error });
    }
  };
  const whose = (events: readonly EventDocument[], type: EventDocument['type']): Set<string | null | undefined> =>
    new Set(events.filter((event) => event.type === type).map(({ worker }) => worker));

  it('is recycled before it reaches its budget, its sibling after it, and no request is lost', async () => {
    const own = await run('leaks', budget());
    using memory = new MemoryLog(join(place.drover.home, 'notes-leaks'));
    const events = await untilEvents('leaks', 'both workers are replaced', (all) => {
      return whose(all, 'worker-recycled').size === 2 && whose(all, 'worker-drained').size === 2;
    });
    assert.equal(memory.processes.length, 4);
    const peaks = memory.processes.map(({ peakRssBytes }) => peakRssBytes / 1024 / 1024);
    assert.ok(Math.max(...peaks) < LIMIT_MB, `${peaks.join(', ')} MB`);
    assert.deepEqual(
      events.filter(({ type }) => type === 'budget-exceeded' || type === 'worker-killed' || type === 'defect'),
      [],
    );
    const reports = await Promise.all(own.map(async (load) => load.stop()));
    for (const { lost, lostByReason } of reports) assert.equal(lost, 0, JSON.stringify(lostByReason));
  });

  it('is recycled as well where its sibling is left alone because that did not help', async () => {
    // Left alone means beyond the budget: what follows from that is a matter of a minute and longer, by then this is over.
    await run('helpless', { ...budget({ interval: '5m' }), heal: { quarantineAfter: 1 } });
    await untilEvents('helpless', 'both are in quarantine', (all) => whose(all, 'worker-quarantined').size === 2);
  });

  it('is left alone where nobody is to be replaced for a budget', async () => {
    await run('spared', budget({ autoRestart: false, interval: '1s' }));
    const events = await untilEvents(
      'spared',
      'both exceed their budget',
      (all) => whose(all, 'budget-exceeded').size === 2,
    );
    assert.equal(whose(events, 'worker-recycled').size, 0);
    assert.equal(whose(events, 'heal-held-back').size, 0);
  });
});
