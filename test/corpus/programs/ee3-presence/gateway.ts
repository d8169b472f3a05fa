import http from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { presence } from './presence.ts';

class PeerStore {
  peers: Record<string, string> = {};
  private socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    presence.on('status', this.update, this);
  }

  update(name: string, status: string): void {
    this.peers[name] = status;
    if (Object.keys(this.peers).length > 5) this.peers = {};
  }

  greet(name: string): void {
    presence.emit('status', name, 'online');
    this.socket.send(JSON.stringify(this.peers));
  }
}

const server = http.createServer();
new WebSocketServer({ server }).on('connection', (socket: WebSocket) => {
  const store = new PeerStore(socket);
  socket.on('message', (data) => store.greet(JSON.parse(String(data)).hello));
});
server.listen(process.env.PORT);
