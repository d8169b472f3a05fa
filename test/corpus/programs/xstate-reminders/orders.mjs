import Fastify from 'fastify';
import { createActor } from 'xstate';
import { orderMachine } from './order-machine.mjs';

const app = Fastify();
let placed = 0;

app.post('/orders', async (request, reply) => {
  const order = createActor(orderMachine, { input: { id: `o${(placed += 1)}`, lines: request.body.lines } });
  order.start();
  order.send({ type: 'PAY', amount: request.body.amount });
  const { value, context } = order.getSnapshot();
  return reply.code(201).send({ id: context.id, state: value });
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
