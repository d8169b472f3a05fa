import { AsyncLocalStorage } from 'node:async_hooks';

const tracing = new AsyncLocalStorage();

/** Each message gets a span; what was open before is its parent. */
function openSpan(name) {
  const span = { name, parent: tracing.getStore(), startedAt: performance.now(), tags: { queue: 'orders' } };
  tracing.enterWith(span);
  return span;
}

async function handle(message) {
  const span = openSpan(`message ${message.number}`);
  await Promise.resolve();
  span.tookMs = performance.now() - span.startedAt;
  return span;
}

async function* messages(source) {
  while (true) yield await source.next();
}

export async function consume(source) {
  for await (const message of messages(source)) {
    const span = handle(message);
    source.done(await span);
  }
}
