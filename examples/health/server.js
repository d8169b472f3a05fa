/**
 * A shop that says how it is: checks, a breaker and a cache around a database that comes and goes, degradation, metrics,
 * and an orderly way out. Runs alone, in Kubernetes and under Drover.
 */
import express from 'express';
import {
  boundedCache,
  breaker,
  degrade,
  GracefulServer,
  health,
  healthHandler,
  log,
  metrics,
  onShutdown,
  ready,
} from 'drover/app';

/** Stands for a database: `POST /database/down` takes it away, `POST /database/up` brings it back. */
const database = {
  isUp: true,
  async query(id) {
    if (!database.isUp) throw new Error('connection refused');
    return { id, name: `Product ${id}` };
  },
};

health.register('database', () => database.query(0), { critical: true, timeout: 500, interval: 1000 });
const products = boundedCache({ name: 'products', max: 10_000, ttl: 60_000 });
const findProduct = breaker((id) => database.query(id), { name: 'database', resetTimeout: 2000 });
const orders = metrics.counter('shop_orders_total', 'Orders by outcome', ['outcome']);
degrade.on((level, reason) => log.warn(`degraded: ${level}`, { reason }));

const app = express();
// In front of everything else: probes are neither logged nor authenticated.
app.use(healthHandler({ token: process.env.HEALTH_TOKEN, serviceId: 'shop' }));
app.get('/metrics', async (_request, response) => {
  response.type(metrics.contentType).send(await metrics.text());
});
app.get('/products/:id', async (request, response) => {
  const { id } = request.params;
  const known = products.get(id);
  if (known !== undefined) return response.json(known);
  if (degrade.isAtLeast('cache-only')) return response.status(503).set('Retry-After', '5').json({ error: 'degraded' });
  try {
    const product = await findProduct(id);
    products.set(id, product);
    return response.json(product);
  } catch (error) {
    return response.status(503).json({ error: error.message });
  }
});
app.post('/orders', (_request, response) => {
  const isTaken = !degrade.isAtLeast('read-only') && database.isUp;
  orders.inc({ outcome: isTaken ? 'taken' : 'refused' });
  response.status(isTaken ? 201 : 503).end();
});
app.post('/database/:state', (request, response) => {
  database.isUp = request.params.state === 'up';
  response.end();
});

const server = new GracefulServer(app);
onShutdown(() => log.info('database closed'));
const { port } = await server.listen(Number(process.env.PORT ?? 3000));
log.info('listening', { port });
ready();
