const express = require('express');
const { Cart } = require('./cart.js');

const app = express();
app.use(express.json());

const carts = new Map();
const cartOf = (id) => {
  if (!carts.has(id)) carts.set(id, new Cart(id));
  return carts.get(id);
};

app.post('/cart/:id/items', (req, res) => {
  const cart = cartOf(req.params.id);
  cart.add(req.body.sku, req.body.quantity);
  res.status(201).json({ items: cart.items.length, total: cart.total });
});

app.get('/cart/:id', (req, res) => {
  const cart = cartOf(req.params.id);
  res.json({ items: cart.items.map(({ sku, quantity, price }) => ({ sku, quantity, price })), total: cart.total });
});

app.delete('/cart/:id', (req, res) => {
  carts.delete(req.params.id);
  res.status(204).end();
});

app.listen(process.env.PORT);
