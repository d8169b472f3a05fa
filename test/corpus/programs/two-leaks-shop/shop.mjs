import express from 'express';
import { countCarts, createCart } from './carts.mjs';
import { remindLater } from './reminders.mjs';

const app = express();
app.use(express.json());

app.post('/carts', (req, res) => {
  const id = createCart(req.body.customer);
  remindLater(req.body.customer, id);
  res.status(201).json({ id });
});

app.get('/carts/count', (_req, res) => res.json({ count: countCarts() }));

app.listen(process.env.PORT);
