/** HTTP/2 without TLS. */
import { createServer } from 'node:http2';
import { listener, PORT } from '../../../support/apps/routes.mjs';
import { boot, noteConnections, obey } from './wishes.mjs';

await boot();
const server = noteConnections(createServer(listener));
const listen = () => server.listen(PORT);
obey(server, listen);
listen();
