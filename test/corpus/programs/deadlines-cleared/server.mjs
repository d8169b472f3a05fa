import Fastify from 'fastify';

const DEADLINE_MS = 30_000;
const app = Fastify();

async function within(work) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function route(from, to) {
  await new Promise((resolve) => setImmediate(resolve));
  return Array.from({ length: 10 }, (_, i) => ({ step: i, from, to }));
}

app.get('/routes/:from/:to', async ({ params: { from, to } }) => {
  const steps = await within(route(from, to));
  return { steps: steps.length };
});

await app.listen({ port: Number(process.env.PORT) });
