import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SupervisorEdges } from './edges.ts';
import { OperationRun, type OperationHost } from './operation-run.ts';
import { systemSchedule } from './schedule.ts';
import { Tenant, type TenantHost } from './tenant.ts';

/** An app whose replacement never answers: nothing but the operation's own patience ends it. */
function silentHost(): OperationHost {
  const clock = { monotonicMs: () => 0, wallMs: () => 0 };
  const records = {
    keepTogether: (work: () => void) => work(),
    operations: { beginUnasked: () => ({ id: 'op' }), advance: () => {}, end: () => {} },
    events: { append: () => 1 },
  };
  // Only what an operation touches; the rest of the edges belongs to workers.
  const edges = {
    clock,
    schedule: systemSchedule,
    records,
    output: { lastLines: async () => [] },
  } as unknown as SupervisorEdges;
  const facts = {
    slot: 0,
    config: {} as never,
    release: 1,
    isChanged: false,
    role: 'replacement',
    order: null,
  } as const;
  const tenant = new Tenant({ app: 'shop', edges } as unknown as TenantHost, facts);
  return {
    app: 'shop',
    edges,
    slots: {
      boot: () => tenant,
      bootReplacement: () => tenant,
      handOver: () => null,
      discard: () => null,
      stop: () => null,
      isEmpty: () => true,
      isUnchanged: () => false,
      isOfAnother: () => false,
    },
    liveHandles: () => [],
    conclude: () => {},
  };
}

describe('an operation', () => {
  it('that makes no progress for longer than anything can take ends as failed and says so', async () => {
    const plan = {
      kind: 'reload',
      machine: 'reload',
      changes: [{ slot: 0, action: 'replace' }],
      batchSize: 1,
      from: 1,
      to: 2,
      patienceMs: 20,
      isAsked: false,
      detail: {},
    } as const;
    const host = silentHost();
    // The tenant counts as starting, so that it has not failed either.
    const tenant = host.slots.boot(0, 'new', 'op:1');
    tenant.state = { ...tenant.state, phase: 'starting', wanted: 'up' };
    const run = new OperationRun(host, plan, () => {});
    await run.begin();
    const { receipt } = await run.ended;
    assert.equal(receipt?.outcome, 'failed');
    assert.match(receipt?.reason ?? '', /took too long/);
  });
});
