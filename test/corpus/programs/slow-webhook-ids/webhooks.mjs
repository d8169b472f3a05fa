import Fastify from 'fastify';
import { firstTime, isSlow } from './deliveries.mjs';

const app = Fastify();

app.post('/webhooks', async (request, reply) => {
  const { id, events } = request.body;
  const expanded = events.flatMap((event) =>
    [1, 2, 3].map((part) => ({ ...event, part, text: `${event.kind} ${part}` })),
  );
  const sorted = expanded.toSorted((a, b) => a.text.localeCompare(b.text));
  const kinds = new Map(sorted.map(({ kind, part }) => [`${kind}/${part}`, { kind, part }]));
  if (isSlow(id) && firstTime(id)) reply.header('x-first', 'yes');
  return { parts: kinds.size };
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
