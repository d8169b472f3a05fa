const express = require('express');
const { measure, registry } = require('./metrics.js');

const app = express();
app.use(measure);

app.get('/users/:id/profile', (req, res) => {
  res.json({
    id: req.params.id,
    name: `User ${req.params.id}`,
    plan: Number(req.params.id) % 5 === 0 ? 'pro' : 'free',
  });
});

app.get('/metrics', async (_req, res) => {
  res.type(registry.contentType).send(await registry.metrics());
});

app.listen(process.env.PORT ?? 3000);
