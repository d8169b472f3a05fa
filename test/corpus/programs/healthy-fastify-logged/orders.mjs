import { Writable } from 'node:stream';
import fastify from 'fastify';

const written = { lines: 0, bytes: 0 };
const sink = new Writable({
  write(chunk, _encoding, callback) {
    written.lines += 1;
    written.bytes += chunk.length;
    callback();
  },
});

const app = fastify({ logger: { level: 'info', stream: sink } });
let lastId = 0;

const body = {
  type: 'object',
  required: ['sku', 'quantity'],
  properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
};

app.post('/orders', { schema: { body } }, async (request, reply) => {
  lastId += 1;
  request.log.child({ order: lastId }).info('order accepted');
  return reply.code(201).send({ id: lastId, ...request.body });
});

app.get('/orders/:id', async (request) => ({ id: Number(request.params.id), state: 'open', log: written.lines > 0 }));

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
