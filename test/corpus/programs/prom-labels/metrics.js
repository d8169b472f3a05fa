const { Histogram, Registry } = require('prom-client');

const registry = new Registry();

const httpDuration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests',
  labelNames: ['method', 'path', 'status'],
  buckets: [0.01, 0.05, 0.1, 0.5, 1, 5],
  registers: [registry],
});

function measure(req, res, next) {
  const end = httpDuration.startTimer();
  res.on('finish', () => end({ method: req.method, path: req.originalUrl, status: res.statusCode }));
  next();
}

module.exports = { registry, measure };
