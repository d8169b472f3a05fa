const express = require('express');
const { logger, MemoryTransport } = require('./logger.js');

const app = express();

app.get('/jobs/:id', (req, res) => {
  const requestId = `r-${req.params.id}`;
  const transport = new MemoryTransport(requestId);
  logger.add(transport);
  logger.info('job started', { requestId });
  logger.info('job finished', { requestId });
  setImmediate(() => res.json({ id: req.params.id, lines: transport.lines }));
});

app.listen(process.env.PORT);
