const { expectNoLeak } = require('drover/testing');
const { openSession, openBoundedSession } = require('../sessions.cjs');

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
    jest.useFakeTimers();
    await expectNoLeak(openBoundedSession);
    jest.useRealTimers();
  },
  LIMIT_MS,
);
