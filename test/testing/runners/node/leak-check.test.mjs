import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { expectNoLeak } from 'drover/testing';
import { openBoundedSession, openSession } from '../sessions.cjs';

test('a leaking function', () => expectNoLeak(openSession));
test('a healthy async function', async () => {
  const { verdict } = await expectNoLeak(openBoundedSession);
  assert.equal(verdict.verdict, 'no-leak');
});
test('with fake timers', async () => {
  mock.timers.enable();
  await expectNoLeak(openBoundedSession);
  mock.timers.reset();
});
