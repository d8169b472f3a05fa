import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exit, ExitCause } from '../protocol/index.ts';
import { chooseHurry, isOwnFault, mayAcceptEarly } from './availability.ts';
import type { WaitingSlot } from './availability.ts';

const exit = (cause: ExitCause, signal: string | null = null): Exit => ({ code: null, signal, cause, detail: null });
const waiting = (slot: number, change: Partial<WaitingSlot> = {}): WaitingSlot => ({
  slot,
  phase: 'backoff',
  isAccepting: false,
  hasListened: true,
  backoffUntil: 1000 - slot,
  lastExit: exit('signal', 'SIGKILL'),
  ...change,
});
const ask = (slots: WaitingSlot[], lastHurryAt: number | null = null, faultsInRow = 0): number | null =>
  chooseHurry({ slots, lastHurryAt, at: 500, spacingMs: 200, faultsInRow });

describe('hurrying a slot out of its backoff', () => {
  it('chooses the one that would have started next', () => {
    assert.equal(ask([waiting(0), waiting(2), waiting(1)]), 2);
  });

  it('does so while fewer than half of the slots accept', () => {
    const accepting = { phase: 'running', isAccepting: true } as const;
    assert.equal(ask([waiting(0), waiting(1, accepting), waiting(2), waiting(3)]), 3);
    assert.equal(ask([waiting(0), waiting(1, accepting), waiting(2, accepting), waiting(3)]), null);
  });

  it('leaves everybody waiting while half of them accept', () => {
    assert.equal(ask([waiting(0), waiting(1, { phase: 'running', isAccepting: true })]), null);
  });

  it('never hurries what has not listened or does not wait', () => {
    assert.equal(ask([waiting(0, { hasListened: false }), waiting(1, { phase: 'crashed' })]), null);
  });

  it('hurries one slot at most in the first wait of the backoff', () => {
    assert.equal(ask([waiting(0)], 301), null);
    assert.equal(ask([waiting(0)], 300), 0);
  });

  it('tries what fails by itself four times before it has to wait', () => {
    const crashed = waiting(0, { lastExit: exit('code') });
    assert.deepEqual(
      [0, 3, 4, 10].map((faultsInRow) => ask([crashed], null, faultsInRow)),
      [0, 0, null, null],
    );
  });

  it('goes on with those who were killed from outside, whatever fails beside them', () => {
    for (const lastExit of [exit('signal', 'SIGKILL'), exit('signal', 'SIGTERM'), exit('killed')])
      assert.equal(ask([waiting(1, { lastExit: exit('oom') }), waiting(0, { lastExit })], 300, 5), 0);
    for (const lastExit of [exit('code'), exit('oom'), exit('hang'), exit('clean'), exit('signal', 'SIGSEGV')])
      assert.equal(isOwnFault(lastExit), true);
  });
});

describe('accepting before ready', () => {
  const untried = { hasListened: true, waitsOnlyForStability: true, isReplacement: false, isAnyWorkerReady: false };

  it('is better than nobody, and only then', () => {
    assert.equal(mayAcceptEarly(untried), true);
    assert.equal(mayAcceptEarly({ ...untried, isAnyWorkerReady: true }), false);
    assert.equal(mayAcceptEarly({ ...untried, isReplacement: true }), false);
    assert.equal(mayAcceptEarly({ ...untried, waitsOnlyForStability: false }), false);
    assert.equal(mayAcceptEarly({ ...untried, hasListened: false }), false);
  });
});
