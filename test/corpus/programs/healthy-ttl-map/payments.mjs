import fastify from 'fastify';

const KEEP_MS = 150;
const seen = new Map();

const sweeper = setInterval(() => {
  const limit = Date.now() - KEEP_MS;
  for (const [key, { at }] of seen) {
    if (at > limit) break;
    seen.delete(key);
  }
}, 50);
sweeper.unref();

const app = fastify();

app.post('/payments', async (request, reply) => {
  const key = request.headers['idempotency-key'];
  const known = seen.get(key);
  if (known !== undefined) return known.answer;
  const answer = { id: `pay_${key}`, amount: request.body.amount, state: 'accepted' };
  seen.set(key, { at: Date.now(), answer });
  return reply.code(201).send(answer);
});

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
