const { AsyncLocalStorage } = require('node:async_hooks');

const spans = new AsyncLocalStorage();
const LAST = 40;
const slowest = [];

/** Runs work in a span; only the slowest forty are kept, and without their parents. */
exports.span = async function span(name, work) {
  const store = { name, parent: spans.getStore(), startedAt: performance.now(), children: 0 };
  if (store.parent) store.parent.children += 1;
  try {
    return await spans.run(store, work);
  } finally {
    const { children } = store;
    slowest.push({ name, children, tookMs: performance.now() - store.startedAt });
    slowest.sort((a, b) => b.tookMs - a.tookMs);
    slowest.length = Math.min(slowest.length, LAST);
  }
};
