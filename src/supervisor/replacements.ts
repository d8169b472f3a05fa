/** Workers that the supervisor replaces by itself, tried again for as long as they are there. */
import type { SlotChange } from '../core/index.ts';
import type { App } from './app.ts';
import type { OperationRun } from './operation-run.ts';
import { wait } from './schedule.ts';
import type { Tenant } from './tenant.ts';

const RETRY_MS = 30_000;

/** A worker that was taken over and cannot be spoken to: it serves, but could never be drained. */
export const replaceSilent = async (app: App, tenant: Tenant, reason: string): Promise<void> => {
  for (;;) {
    while (app.operation !== null) await app.operation.ended;
    const isHolder = app.slots.find(tenant.slot)?.holder === tenant;
    const isSilent = tenant.handle?.isAgentHere === false && tenant.state.phase === 'running';
    if (!isHolder || !isSilent || !app.isWanted) return;
    app.edges.records.events.append({ app: app.app, worker: tenant.id, type: 'worker-hung', reason });
    if (await hasReplaced(app, [tenant.slot])) return;
  }
};

/** Apps whose others are being replaced, or will be: once is enough. */
const withOthers = new WeakSet<App>();

/**
 * Workers of another release, which a change that was undone has left because it knew nothing of them: they were found
 * without a record, as after a full disk. Whatever operation runs meanwhile goes first, and may have replaced them.
 */
export const replaceOthers = async (app: App): Promise<void> => {
  if (withOthers.has(app)) return;
  withOthers.add(app);
  try {
    for (;;) {
      while (app.operation !== null) await app.operation.ended;
      const { release } = app.state;
      const others = app.slotNumbers.filter(
        (slot) => !app.slots.isVacant(slot) && app.slots.isOfAnother(slot, release),
      );
      if (others.length === 0 || !app.isWanted) return;
      if (await hasReplaced(app, others)) return;
    }
  } finally {
    withOthers.delete(app);
  }
};

const hasReplaced = async (app: App, slots: readonly number[]): Promise<boolean> => {
  const changes = slots.map((slot): SlotChange => ({ slot, action: 'replace' }));
  const run: OperationRun = app.begin('reload', {}, { machine: 'reload', changes }, { isAsked: false });
  if ((await run.ended).receipt?.outcome === 'completed') return true;
  await wait(app.edges.schedule, RETRY_MS);
  return false;
};
