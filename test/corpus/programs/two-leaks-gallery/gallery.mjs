import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { keepThumbnail } from './thumbnails.mjs';
import { countView } from './views.mjs';

const app = new Hono();

app.put('/pictures/:id', async (c) => {
  const picture = Buffer.from(await c.req.arrayBuffer());
  return c.json({ thumbnail: keepThumbnail(c.req.param('id'), picture) }, 201);
});

app.get('/pictures/:id/views', (c) => c.json({ views: countView(c.req.param('id'), c.req.header('x-visitor')) }));

serve({ fetch: app.fetch, port: Number(process.env.PORT) });
