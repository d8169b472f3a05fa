import { Hono } from 'hono';
import { serve } from '@hono/node-server';
import { schemaOf } from './forms.mjs';

const app = new Hono();

app.post('/forms/:id/:revision', async (c) => {
  const fields = [
    { name: 'title', type: 'text' },
    { name: 'seats', type: 'number' },
    { name: 'vegetarian', type: 'yesNo' },
  ];
  const schema = schemaOf({ ...c.req.param(), fields });
  const { success, error } = schema.safeParse(await c.req.json());
  return success ? c.json({ ok: true }) : c.json({ ok: false, problems: error.issues }, 400);
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
