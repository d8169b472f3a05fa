const express = require('express');
const { Counter, Histogram, Registry, collectDefaultMetrics } = require('prom-client');

const registry = new Registry();
collectDefaultMetrics({ register: registry });
const requests = new Counter({
  name: 'requests_total',
  help: 'Requests',
  labelNames: ['route', 'status'],
  registers: [registry],
});
const duration = new Histogram({
  name: 'duration_seconds',
  help: 'Duration',
  labelNames: ['route'],
  registers: [registry],
});

const app = express();

app.use((req, res, next) => {
  const startedAt = performance.now();
  res.on('finish', () => {
    const route = req.route?.path ?? 'unknown';
    requests.inc({ route, status: res.statusCode });
    duration.observe({ route }, (performance.now() - startedAt) / 1000);
  });
  next();
});

app.get('/users/:id', (req, res) => res.json({ id: req.params.id }));
app.get('/users/:id/orders', (req, res) => res.json([{ id: 1, user: req.params.id }]));
app.get('/metrics', async (_req, res) => res.type(registry.contentType).send(await registry.metrics()));

app.listen(process.env.PORT);
