import Fastify from 'fastify';
import { outbox } from './outbox.mjs';

const app = Fastify();

app.post('/signups', async (request, reply) => {
  const { email } = request.body;
  outbox.write({ kind: email.startsWith('test') ? 'test' : 'signup', email, steps: ['mail', 'profile'] });
  return reply.code(202).send({ email });
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
