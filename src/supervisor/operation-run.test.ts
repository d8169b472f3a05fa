import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventInput, ReceiptDocument } from '../protocol/index.ts';
import type { SupervisorEdges } from './edges.ts';
import type { OperationHost } from './operation-host.ts';
import type { UnfinishedOperation } from './operation-memory.ts';
import { OperationRun, type OperationPlan } from './operation-run.ts';
import { systemSchedule } from './schedule.ts';
import { Tenant, type TenantHost } from './tenant.ts';

const PLAN: OperationPlan = {
  kind: 'reload',
  machine: 'reload',
  changes: [{ slot: 0, action: 'replace' }],
  batchSize: 1,
  from: 1,
  to: 2,
  patienceMs: 60_000,
  isAsked: false,
  detail: {},
};

/** What is broken where. */
interface Breaks {
  readonly conclude?: (outcome: string) => void;
  readonly keepTogether?: (work: () => void) => void;
  readonly liveHandles?: () => never;
  readonly lastLines?: () => Promise<never>;
  readonly handOver?: () => never;
}

/** An app whose replacement says nothing but what a test makes it say, with what is written down of it. */
class SilentApp {
  readonly events: EventInput[] = [];
  readonly ends: ReceiptDocument[] = [];
  readonly concluded: string[] = [];
  discarded = 0;
  readonly tenant: Tenant;
  readonly host: OperationHost;

  constructor(breaks: Breaks = {}) {
    // Only what an operation touches; the rest of the edges belongs to workers.
    const edges = {
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      schedule: systemSchedule,
      records: {
        keepTogether: breaks.keepTogether ?? ((work: () => void) => work()),
        operations: {
          beginUnasked: () => ({ id: 'op' }),
          advance: () => {},
          end: (_id: string, _phase: string, receipt: ReceiptDocument) => void this.ends.push(receipt),
        },
        events: { append: (event: EventInput) => this.events.push(event) },
      },
      output: { lastLines: breaks.lastLines ?? (async () => []) },
    } as unknown as SupervisorEdges;
    this.tenant = new Tenant({ app: 'shop', edges } as unknown as TenantHost, {
      slot: 0,
      config: {} as never,
      release: 1,
      isChanged: false,
      role: 'replacement',
      order: null,
    });
    // It counts as starting, so that it has not failed either.
    this.become('starting');
    this.host = {
      app: 'shop',
      edges,
      slots: {
        boot: () => this.tenant,
        bootReplacement: () => this.tenant,
        handOver: breaks.handOver ?? (() => null),
        discard: () => {
          this.discarded += 1;
          return null;
        },
        stop: () => null,
        isEmpty: () => true,
        isUnchanged: () => false,
        isOfAnother: () => false,
      },
      liveHandles: breaks.liveHandles ?? (() => []),
      conclude: (_kind, outcome) => {
        breaks.conclude?.(outcome);
        this.concluded.push(outcome);
      },
    };
  }

  become(phase: 'starting' | 'running' | 'crashed'): void {
    this.tenant.state = { ...this.tenant.state, phase, wanted: 'up' };
  }

  open(plan: Partial<OperationPlan> = {}, unfinished?: UnfinishedOperation): OperationRun {
    return new OperationRun(this.host, { ...PLAN, ...plan }, () => {}, unfinished === undefined ? {} : { unfinished });
  }

  /** A reload to its end. */
  async reload(): Promise<ReceiptDocument> {
    this.become('running');
    const run = this.open();
    await run.begin();
    const { receipt } = await run.ended;
    assert.equal(run.isRunning, false);
    assert.ok(receipt);
    return receipt;
  }

  eventTypes(): string[] {
    return this.events.map(({ type }) => type);
  }
}

const fail = (message: string) => (): never => {
  throw new Error(message);
};

describe('an operation', () => {
  it('that makes no progress for longer than anything can take ends as failed and says so', async () => {
    const run = new SilentApp().open({ patienceMs: 20 });
    await run.begin();
    const { receipt } = await run.ended;
    assert.equal(receipt?.outcome, 'failed');
    assert.match(receipt?.reason ?? '', /took too long/);
  });

  it('that meets an event which cannot be tells of it in an event, beside its receipt', async () => {
    const app = new SilentApp();
    const run = app.open();
    await run.begin();
    await run.begin();
    const defect = app.events.find(({ type }) => type === 'defect');
    assert.equal(defect?.app, 'shop');
    assert.match(defect?.reason ?? '', /begin was not expected while booting \(operation op\)/);
    assert.deepEqual(defect?.data, { operation: 'op', kind: 'reload' });
    run.close();
  });

  it('is told that a worker did not come up also where the log of that cannot be read', async () => {
    const app = new SilentApp({ lastLines: async () => fail('a damaged archive')() });
    app.become('crashed');
    const run = app.open();
    await run.begin();
    const { receipt } = await run.ended;
    assert.equal(receipt?.outcome, 'failed');
    assert.match(receipt?.reason ?? '', /shop\/0/);
    assert.deepEqual(app.eventTypes(), ['operation-started', 'operation-ended']);
  });
});

describe('an operation that meets a defect', () => {
  const isToldBy = (app: SilentApp, receipt: ReceiptDocument, reason: RegExp): void => {
    assert.equal(receipt.outcome, 'failed');
    assert.match(receipt.reason ?? '', reason);
    assert.deepEqual(app.eventTypes(), ['operation-started', 'defect', 'operation-ended']);
    const [, defect] = app.events;
    assert.match(defect?.reason ?? '', reason);
    assert.match(String(defect?.data?.['stack']), /at /);
  };

  it('where its outcome is written down ends as failed, with what the app is then', async () => {
    const app = new SilentApp({
      conclude: (outcome) => {
        if (outcome === 'completed') fail('no such release')();
      },
    });
    isToldBy(app, await app.reload(), /no such release/);
    assert.deepEqual(app.concluded, ['failed']);
    assert.equal(app.ends.length, 1);
    assert.equal(app.ends[0]?.outcome, 'failed');
  });

  it('each time its outcome is written down ends all the same', async () => {
    const app = new SilentApp({ conclude: fail('no such app') });
    isToldBy(app, await app.reload(), /no such app/);
    assert.equal(app.ends.length, 1, 'its end alone is written down');
  });

  it('in the records ends for those who wait, whatever is on record', async () => {
    const app = new SilentApp({ keepTogether: fail('no such table') });
    isToldBy(app, await app.reload(), /no such table/);
  });

  it('before it began ends as failed', async () => {
    const app = new SilentApp({ liveHandles: fail('no handles') });
    isToldBy(app, await app.reload(), /no handles/);
  });

  it('in the middle ends as failed, and whoever was booted for it goes', async () => {
    const app = new SilentApp({ handOver: fail('no such shard') });
    isToldBy(app, await app.reload(), /no such shard/);
    assert.equal(app.discarded, 1);
  });

  it('where it is gone on with ends as failed, of a state that nobody can read as well', async () => {
    const app = new SilentApp();
    const memory = { plan: PLAN, machine: { phase: 'booting' }, steps: [] } as never;
    const run = app.open({}, { id: 'op', kind: 'reload', startedAtMs: 0, memory });
    await run.resume();
    const { receipt } = await run.ended;
    assert.equal(receipt?.outcome, 'failed');
    assert.deepEqual(app.eventTypes(), ['operation-resumed', 'defect', 'operation-ended']);
  });

  it('and is a deletion leaves the app, which can be deleted again', async () => {
    const app = new SilentApp({ liveHandles: fail('no handles') });
    const run = app.open({ kind: 'delete', machine: 'delete', changes: [{ slot: 0, action: 'remove' }] });
    await run.begin();
    assert.equal((await run.ended).receipt?.outcome, 'failed');
    assert.deepEqual(app.concluded, []);
  });

  it('after it has ended has ended once', async () => {
    const app = new SilentApp();
    app.become('running');
    let hasThrown = false;
    const run = new OperationRun(
      app.host,
      PLAN,
      ({ isRunning }) => {
        if (isRunning || hasThrown) return;
        hasThrown = true;
        fail('nobody listens')();
      },
      {},
    );
    await run.begin();
    assert.equal((await run.ended).receipt?.outcome, 'completed');
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(app.ends.length, 1);
    assert.deepEqual(app.eventTypes(), ['operation-started', 'operation-ended', 'defect']);
  });
});
