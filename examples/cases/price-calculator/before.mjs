/**
 * A price calculator: adds up orders. The price of each item is looked up in the price list, which is read from the disk
 * and parsed anew for each of them, while everybody else waits.
 */
import { readFileSync } from 'node:fs';
import express from 'express';

const PRICES = new URL('./prices.json', import.meta.url);

function priceOf(sku) {
  const prices = JSON.parse(readFileSync(PRICES, 'utf8'));
  return prices.find((price) => price.sku === sku).cents;
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
