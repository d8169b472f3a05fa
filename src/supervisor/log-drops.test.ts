import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newHandle } from '../../test/support/worker-handle.ts';
import type { AgentReport, EventInput, LogDrops } from '../protocol/index.ts';
import { endLogDrops, noteLogDrops } from './log-drops.ts';
import type { Tenant } from './tenant.ts';

/** A worker whose agent reports, and the events that come of it. */
class Reporter {
  readonly events: EventInput[] = [];
  readonly handle = newHandle();
  at = 0;
  #seq = 0;

  get tenant(): Tenant {
    const append = (event: EventInput): number => this.events.push(event);
    const { at } = this;
    return { id: 'shop/0', at, host: { app: 'shop', edges: { records: { events: { append } } } } } as unknown as Tenant;
  }

  report(log: Partial<LogDrops> | null, afterMs = 1_000): void {
    this.at += afterMs;
    this.#seq += 1;
    const full = log === null ? {} : { log: { lines: 0, bytes: 0, isDropping: true, code: 'ENOSPC', ...log } };
    this.handle.addReport({ seq: this.#seq, runtime: { uptimeMs: this.at }, ...full } as AgentReport);
    noteLogDrops(this.tenant, this.handle);
  }

  get told(): readonly (readonly [string, unknown])[] {
    return this.events.map(({ type, data }) => [type, data?.['lines']]);
  }
}

describe('output that was dropped', () => {
  it('is told when it begins and when it is over, with what was dropped in between', () => {
    const worker = new Reporter();
    worker.report(null);
    worker.report({ lines: 3 });
    worker.report({ lines: 40 });
    worker.report({ lines: 50, isDropping: false });
    worker.report({ lines: 50, isDropping: false });
    worker.report({ lines: 51 }, 10_000);
    worker.report({ lines: 60, isDropping: false });
    assert.deepEqual(worker.told, [
      ['log-dropped', 3],
      ['log-drop-ended', 50],
      ['log-dropped', 1],
      ['log-drop-ended', 10],
    ]);
  });

  it('is over with the worker', () => {
    const worker = new Reporter();
    worker.report({ lines: 3 });
    endLogDrops(worker.tenant, worker.handle);
    endLogDrops(worker.tenant, worker.handle);
    assert.deepEqual(worker.told, [
      ['log-dropped', 3],
      ['log-drop-ended', 3],
    ]);
    assert.match(worker.events[1]?.reason ?? '', /^it ended/);
  });

  it('does not fill the events, whatever an agent claims', () => {
    const worker = new Reporter();
    for (let count = 0; count < 1_000; count++) worker.report({ lines: count, isDropping: count % 2 === 0 }, 10);
    assert.ok(worker.events.length <= 8, String(worker.events.length));
  });
});
