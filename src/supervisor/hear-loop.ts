/**
 * Whether a worker that has listened on nothing for `stableFor` is done with loading. Its agent speaks before the first
 * line of the app, and a program that loads for seconds (large frameworks, slow disks, busy machines) would count as ready,
 * and as one without ports, before it has come to its `listen`. So its event loop is asked, which answers once it turns.
 */
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** An answer that took longer says that the loop has stood still until now: a `listen` may follow. */
const PROMPT_MS = 250;

/** `until`: monotonic time after which nothing is waited for. */
export async function hearLoop(tenant: Tenant, handle: WorkerHandle, until: number): Promise<void> {
  if (handle.loop !== 'unheard') return;
  handle.loop = 'asked';
  const askedAt = tenant.at;
  await handle.freshReport(tenant.host.edges.schedule, until - askedAt);
  const { at } = tenant;
  const hasLoadedUntilNow = at - askedAt > PROMPT_MS && at < until;
  handle.loop = hasLoadedUntilNow ? 'unheard' : 'heard';
  if (hasLoadedUntilNow) handle.loadedAt = at;
  if (tenant.handle === handle) tenant.checkReadiness();
}
