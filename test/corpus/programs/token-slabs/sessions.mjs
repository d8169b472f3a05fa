import Fastify from 'fastify';
import { isRevoked, revoke, sign } from './tokens.mjs';

const app = Fastify();

app.post('/refresh/:id', async (request) => {
  const { id } = request.params;
  if (isRevoked(id, Buffer.from('never'))) return { token: null };
  revoke(id);
  const scopes = Array.from({ length: 30 }, (_, i) => `scope-${i}`);
  return { token: sign({ sub: id, scopes }) };
});

await app.listen({ port: Number(process.env.PORT) });
