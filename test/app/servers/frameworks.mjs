// One server of each framework with the same health handler; its own routes are `/` and, on the first, what the test turns.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import { health, healthHandler, onShutdown } from 'drover/app';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

const require = createRequire(import.meta.url);
const express4 = require('express4');
const express5 = require('express5');

let database = 'up';
health.register(
  'database',
  () => {
    if (database === 'down') throw new Error('connection refused');
  },
  { critical: true, interval: 50 },
);
let finish;
onShutdown(() => new Promise((resolve) => (finish = resolve)), { timeout: 30_000 });

const options = { token: 'secret', version: '1', serviceId: 'shop' };
const portOf = (server) =>
  new Promise((resolve) =>
    server.listening ? resolve(server.address().port) : server.once('listening', () => resolve(server.address().port)),
  );
const ports = {};

const handler = healthHandler(options);
ports.node = await portOf(
  createServer((request, response) => {
    if (handler(request, response)) return;
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname.startsWith('/turn/')) database = pathname.slice(6);
    if (pathname === '/finish') finish();
    response.writeHead(pathname === '/none' ? 404 : 200).end('own');
  }).listen(0),
);
ports['node, alone'] = await portOf(createServer(healthHandler(options)).listen(0));
for (const [name, express] of [
  ['express 4', express4],
  ['express 5', express5],
]) {
  const app = express();
  app.use(healthHandler(options));
  app.get('/', (request, response) => void response.send('own'));
  ports[name] = await portOf(app.listen(0));
  const mounted = express();
  mounted.use('/health', healthHandler(options));
  mounted.get('/', (request, response) => void response.send('own'));
  ports[`${name}, mounted`] = await portOf(mounted.listen(0));
}
{
  const fastify = Fastify();
  await fastify.register(healthHandler(options));
  fastify.get('/', async () => 'own');
  await fastify.listen({ port: 0 });
  ports.fastify = fastify.server.address().port;
}
{
  const fastify = Fastify();
  for (const path of ['/health', '/health/live', '/health/ready']) fastify.get(path, healthHandler(options));
  fastify.get('/', async () => 'own');
  await fastify.listen({ port: 0 });
  ports['fastify, by route'] = fastify.server.address().port;
}
{
  const koa = new Koa();
  koa.use(healthHandler(options));
  koa.use((context) => {
    if (context.path === '/') context.body = 'own';
  });
  ports.koa = await portOf(koa.listen(0));
}
{
  const hono = new Hono();
  hono.use(healthHandler(options));
  hono.get('/', (context) => context.text('own'));
  ports.hono = await portOf(serve({ fetch: hono.fetch, port: 0 }));
}
console.log(JSON.stringify(ports));
