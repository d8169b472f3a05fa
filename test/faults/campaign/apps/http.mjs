/** Plain `node:http`. */
import { createServer } from 'node:http';
import { listener, PORT } from '../../../support/apps/routes.mjs';
import { boot, noteConnections, obey } from './wishes.mjs';

await boot();
const server = noteConnections(createServer(listener));
const listen = () => server.listen(PORT);
obey(server, listen);
listen();
