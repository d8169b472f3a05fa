/**
 * A cart service: carts follow the prices of their items until they are paid for. Each item that is added listens for
 * changes of its price, and nobody ever takes the listener away: it keeps the item, the cart and all its other items.
 */
import { EventEmitter } from 'node:events';
import express from 'express';

const priceChanges = new EventEmitter();
priceChanges.setMaxListeners(0);

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
    priceChanges.on('priceChange', (changed) => {
      if (changed.sku === item.sku) this.reprice(item, changed.cents);
    });
  }

  reprice(item, cents) {
    item.cents = cents;
  }

  get totalCents() {
    return this.items.reduce((sum, { cents }) => sum + cents, 0);
  }
}

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
