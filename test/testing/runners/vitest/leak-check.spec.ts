import { expectNoLeak } from 'drover/testing';
import { expect, test, vi } from 'vitest';
import { openBoundedSession, openSession } from './sessions.ts';

const LIMIT_MS = 120_000;

test('a leaking function', () => expectNoLeak(openSession), LIMIT_MS);
test(
  'a healthy async function',
  async () => {
    const { verdict } = await expectNoLeak(openBoundedSession);
    expect(verdict.verdict).toBe('no-leak');
  },
  LIMIT_MS,
);
test(
  'with fake timers',
  async () => {
    vi.useFakeTimers();
    await expectNoLeak(openBoundedSession);
    vi.useRealTimers();
  },
  LIMIT_MS,
);
