import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer((_request, response) => response.end('hello from socket.io\n'));
new Server(server).on('connection', (socket) => {
  socket.on('say', (number, acknowledge) => acknowledge(number));
});
server.listen(Number(process.env.APP_PORT));
