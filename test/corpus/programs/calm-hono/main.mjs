import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const timings = new Map();
const app = new Hono();
app.use(async (c, next) => {
  const at = performance.now();
  await next();
  const row = timings.get(c.req.routePath) ?? { count: 0, total: 0 };
  row.count++;
  row.total += performance.now() - at;
  timings.set(c.req.routePath, row);
});
app.get('/api/:id', (c) => c.json({ id: c.req.param('id'), n: timings.size }));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
