/** Whom an operation waits for in a slot, and what a change of that tenant answers. */
import type { OperationEvent } from '../core/index.ts';
import { FAILED_STARTS_TO_FAIL } from './patience.ts';
import type { Tenant } from './tenant.ts';

export interface Awaited {
  /** `emptying`: not only this tenant has to go, but whoever is in its slot. */
  readonly answer: 'boot' | 'old-boot' | 'drain' | 'emptying' | 'discard';
  readonly tenant: Tenant;
  readonly turn: number;
  /** What was answered so far. A replacement that is up may still die before its hand-over. */
  readonly answered: 'nothing' | 'booted' | 'failed';
}

/** What a tenant's state means for the effect that awaits it; null while there is nothing to say. */
export const answerOf = ({ answer, turn }: Awaited, tenant: Tenant): OperationEvent | null => {
  const { slot, state } = tenant;
  const isGone = state.phase === 'stopped' || state.phase === 'crashed';
  if (answer === 'drain' || answer === 'emptying') return isGone ? { type: 'drained', slot, turn } : null;
  if (answer === 'discard') return isGone ? { type: 'discarded', slot, turn } : null;
  if (state.phase === 'running' || tenant.hasDoneItsJob)
    return { type: answer === 'boot' ? 'booted' : 'old-booted', slot, turn };
  if (!isGone && state.phase !== 'aborting' && state.failedStarts < FAILED_STARTS_TO_FAIL) return null;
  return {
    type: answer === 'boot' ? 'boot-failed' : 'old-boot-failed',
    slot,
    turn,
    reason: `${tenant.id} ${tenant.failure()}`,
  };
};
