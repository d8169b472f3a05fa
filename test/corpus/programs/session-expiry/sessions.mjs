const IDLE_MS = 250;
const sessions = new Map();

setInterval(() => {
  const now = performance.now();
  for (const [id, { seenAt }] of sessions) if (now - seenAt > IDLE_MS) sessions.delete(id);
}, 100).unref();

export function visit(id) {
  const session = sessions.get(id) ?? { id, visits: 0, seenAt: 0, basket: [] };
  session.visits += 1;
  session.seenAt = performance.now();
  session.basket.push({ article: session.visits });
  sessions.set(id, session);
  return session;
}
