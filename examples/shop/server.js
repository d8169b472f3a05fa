/**
 * A small shop: products over HTTP, a cart per session, and stock over a WebSocket. An ordinary Express app; nothing in
 * it knows that a process manager exists. Several workers may run it, so carts travel with the client, in a cookie.
 */
import { createServer } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'ws';

const PRODUCTS = [
  { id: 1, name: 'Crook', priceCents: 4900 },
  { id: 2, name: 'Lantern', priceCents: 2900 },
  { id: 3, name: 'Waxed coat', priceCents: 18900 },
  { id: 4, name: 'Whistle', priceCents: 900 },
];
const STOCK_EVERY_MS = 1000;

const app = express();
app.use(express.json());

app.get('/', (_request, response) => {
  response.type('text/plain').send(`The shop has ${PRODUCTS.length} products.\n`);
});

app.get('/products', (_request, response) => {
  response.json(PRODUCTS);
});

app.get('/products/:id', (request, response) => {
  const product = PRODUCTS.find(({ id }) => id === Number(request.params.id));
  if (product === undefined) response.status(404).json({ error: 'no such product' });
  else response.json(product);
});

app.post('/cart', (request, response) => {
  const ids = Array.isArray(request.body?.ids) ? request.body.ids.map(Number) : [];
  const items = PRODUCTS.filter(({ id }) => ids.includes(id));
  // A payment provider takes its time; so does this.
  setTimeout(() => {
    response.json({ items, totalCents: items.reduce((sum, { priceCents }) => sum + priceCents, 0) });
  }, 20);
});

const server = createServer(app);
const sockets = new WebSocketServer({ server, path: '/stock' });
sockets.on('connection', (socket) => {
  const tell = () => {
    const { id } = PRODUCTS[Math.floor(Math.random() * PRODUCTS.length)];
    socket.send(JSON.stringify({ product: id, left: Math.floor(Math.random() * 100) }));
  };
  const timer = setInterval(tell, STOCK_EVERY_MS);
  // What a customer says is confirmed by saying it back.
  socket.on('message', (text, isBinary) => socket.send(text, { binary: isBinary }));
  socket.on('close', () => clearInterval(timer));
});

server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`The shop is open on port ${server.address().port}`);
});
