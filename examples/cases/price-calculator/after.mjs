/** The price calculator with its bottleneck mended: the price list is read once, and looked up by key. */
import { readFileSync } from 'node:fs';
import express from 'express';

const list = JSON.parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8'));
const prices = new Map(list.map(({ sku, cents }) => [sku, cents]));

function priceOf(sku) {
  return prices.get(sku);
}

function quote(items) {
  const lines = items.map(({ sku, quantity }) => ({ sku, quantity, cents: priceOf(sku) * quantity }));
  return { lines, totalCents: lines.reduce((sum, { cents }) => sum + cents, 0) };
}

const app = express();
app.use(express.json());

app.post('/quotes', (request, response) => {
  response.json(quote(request.body.items));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => process.exit(0)));
