const fastify = require('fastify');
const { listRecent, recordRequest } = require('./request-history.js');

const app = fastify({ logger: false });

app.addHook('onResponse', async (request, reply) => {
  recordRequest(request, reply);
});

app.get('/orders/:id', async (request) => {
  const id = Number(request.params.id);
  return { id, state: id % 3 === 0 ? 'shipped' : 'open', lines: [{ sku: `A-${id % 20}`, quantity: 2 }] };
});

app.get('/debug/requests', async () => listRecent(20));

app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
