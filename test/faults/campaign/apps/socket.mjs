/** A WebSocket that echoes, and HTTP beside it. */
import { createServer } from 'node:http';
import { echo, listener, PORT } from '../../../support/apps/routes.mjs';
import { boot, noteConnections, obey } from './wishes.mjs';

await boot();
const server = noteConnections(createServer(listener));
echo(server);
const listen = () => server.listen(PORT);
obey(server, listen);
listen();
