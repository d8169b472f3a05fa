/** Express, with a line of output for each request. */
import { createServer } from 'node:http';
import express from 'express';
import { listener, PORT } from '../../../support/apps/routes.mjs';
import { boot, noteConnections, obey } from './wishes.mjs';

await boot();
const app = express();
app.use((request, _response, next) => {
  console.log(`${request.method} ${request.url} ${'x'.repeat(100)}`);
  next();
});
app.use((request, response) => listener(request, response));
const server = noteConnections(createServer(app));
const listen = () => server.listen(PORT);
obey(server, listen);
listen();
