import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { trace } from './tracing.mjs';

const app = new Hono();
app.use('*', trace());
app.get('/api/books/:id', (c) => c.json({ id: c.req.param('id'), title: 'A book', year: 1999 }));
serve({ fetch: app.fetch, port: Number(process.env.PORT) });
