const fastify = require('fastify');

const orders = [];
let nextNumber = 70_000_000;

const app = fastify();

app.post('/orders', async (request, reply) => {
  nextNumber += 1 + (nextNumber % 37);
  const { customer, lines } = request.body;
  orders[nextNumber] = { number: nextNumber, customer, lines, state: 'open', placedAt: new Date().toISOString() };
  return reply.code(201).send({ number: nextNumber });
});

app.get('/orders/:number', async (request, reply) => {
  const order = orders[Number(request.params.number)];
  return order ?? reply.code(404).send({ error: 'no such order' });
});

app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
