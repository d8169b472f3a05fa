import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_request, response) => response.end('live scores'));
const wss = new WebSocketServer({ server, path: '/live' });

class Client {
  constructor(socket) {
    this.socket = socket;
    this.matches = new Set();
    this.isAlive = true;
  }

  watch(match) {
    this.matches.add(match);
    this.socket.send(JSON.stringify({ match, score: [0, 0], minute: 1 }));
  }
}

wss.on('connection', function onConnection(socket) {
  const client = new Client(socket);
  const heartbeat = setInterval(() => {
    if (client.isAlive && socket.readyState === socket.OPEN) socket.ping();
    client.isAlive = false;
  }, 30_000);
  heartbeat.unref();
  socket.on('pong', () => (client.isAlive = true));
  socket.on('message', (data) => client.watch(JSON.parse(data).watch));
});

server.listen(Number(process.env.PORT ?? 3000));
