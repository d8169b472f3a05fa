import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { validatorFor } from './validators.mjs';

const app = new Hono();
app.post('/v/:version/people', async (c) => {
  const version = Number(c.req.param('version'));
  const { success, data } = validatorFor(version).safeParse({ ...(await c.req.json()), version });
  return success ? c.json({ tags: data.tags.length }) : c.json({ error: 'invalid' }, 400);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
