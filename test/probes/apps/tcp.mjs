// Sends back what it is sent.
import { createServer } from 'node:net';

createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket)).listen(Number(process.env.PORT));
