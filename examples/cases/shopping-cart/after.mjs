/**
 * The cart service with its leak mended: one listener for the service instead of one for each item. It looks through the
 * carts that are open, and knows nothing of those that were paid for.
 */
import { EventEmitter } from 'node:events';
import express from 'express';

const priceChanges = new EventEmitter();

const carts = new Map();
let nextCart = 1;

class ShoppingCart {
  items = [];

  constructor(customer) {
    this.customer = customer;
  }

  addItem({ sku, cents }) {
    const item = { sku, cents, addedAt: Date.now(), note: `for ${this.customer}, ${sku}, ${cents}`.repeat(8) };
    this.items.push(item);
  }

  reprice({ sku, cents }) {
    for (const item of this.items) if (item.sku === sku) item.cents = cents;
  }

  get totalCents() {
    return this.items.reduce((sum, { cents }) => sum + cents, 0);
  }
}

priceChanges.on('priceChange', (changed) => {
  for (const cart of carts.values()) cart.reprice(changed);
});

const app = express();
app.use(express.json());

app.post('/carts', (request, response) => {
  const cart = new ShoppingCart(request.body.customer);
  for (const item of request.body.items) cart.addItem(item);
  const id = nextCart;
  nextCart += 1;
  carts.set(id, cart);
  response.status(201).json({ id, totalCents: cart.totalCents });
});

app.post('/carts/:id/payment', (request, response) => {
  const cart = carts.get(Number(request.params.id));
  if (cart === undefined) return response.status(404).json({ error: 'no such cart' });
  carts.delete(Number(request.params.id));
  return response.json({ paidCents: cart.totalCents });
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => process.exit(0)));
