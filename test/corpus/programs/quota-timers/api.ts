import fastify from 'fastify';
import { Quota } from './quota.ts';

const app = fastify();

app.decorateRequest('quota', null);

app.addHook('onRequest', async (request, reply) => {
  const quota = new Quota(String(request.headers['x-api-key']), 45_000);
  if (!quota.take()) return reply.code(429).send({ error: 'quota exceeded' });
  reply.header('x-quota-used', String(quota.used));
});

app.get<{ Querystring: { q: string } }>('/v1/geocode', async (request) => {
  const { q } = request.query;
  return { query: q, latitude: q.length, longitude: q.length * 2 };
});

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
