import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventInput } from '../protocol/index.ts';
import { runEffect } from './run-effects.ts';
import { Tenant, type TenantHost } from './tenant.ts';

const tenantThatMisses = (missing: readonly string[], events: EventInput[]): Tenant => {
  // Only what telling touches.
  const edges = { records: { events: { append: (event: EventInput) => events.push(event) } } };
  const facts = { slot: 0, config: {} as never, release: 1, isChanged: false, role: 'first', order: null };
  const tenant = new Tenant({ app: 'shop', edges } as unknown as TenantHost, facts as never);
  tenant.missing = missing;
  return tenant;
};

describe('the event of a start that took too long', () => {
  it('says what the worker was waited for', () => {
    const events: EventInput[] = [];
    const report = { type: 'report', event: 'worker-start-timeout', reason: 'not ready after 3000 ms' } as const;
    runEffect(tenantThatMisses(['port 80', 'its readiness probe'], events), report);
    runEffect(tenantThatMisses([], events), report);
    runEffect(tenantThatMisses(['port 80'], events), { type: 'report', event: 'worker-draining', reason: null });
    assert.deepEqual(
      events.map(({ reason }) => reason),
      ['not ready after 3000 ms, waiting for port 80, its readiness probe', 'not ready after 3000 ms', null],
    );
  });
});
