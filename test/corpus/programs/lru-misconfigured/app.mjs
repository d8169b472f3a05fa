import express from 'express';
import { getProduct } from './catalog.mjs';

const app = express();
app.disable('x-powered-by');

app.get('/products/:id', async (req, res) => {
  const product = await getProduct(req.params.id, req.query.currency ?? 'USD');
  res.set('cache-control', 'private, max-age=30').json(product);
});

app.get('/healthz', (_req, res) => res.send('ok'));

app.listen(process.env.PORT ?? 3000);
