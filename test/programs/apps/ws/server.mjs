import { WebSocketServer } from 'ws';

new WebSocketServer({ port: Number(process.env.APP_PORT) }).on('connection', (socket) => {
  socket.on('message', (text, isBinary) => socket.send(text, { binary: isBinary }));
});
