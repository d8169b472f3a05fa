// What the tests of each runner check: one that leaks and one that does not.
const sessions = new Map();
let last = 0;

function openSession() {
  last += 1;
  sessions.set(last, { id: last, user: `user-${last}`, roles: ['customer'] });
}

const recent = new Map();

async function openBoundedSession() {
  last += 1;
  recent.set(last % 20, { id: last, user: `user-${last}`, roles: ['customer'] });
  await Promise.resolve();
}

module.exports = { openSession, openBoundedSession };
