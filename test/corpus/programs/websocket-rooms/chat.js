const { createServer } = require('node:http');
const { WebSocketServer } = require('ws');
const { joinRoom } = require('./rooms.js');

const server = createServer((_request, response) => response.end('chat'));
const wss = new WebSocketServer({ server });

wss.on('connection', (socket) => {
  const member = { socket, name: 'anonymous', joinedAt: Date.now() };
  let room = null;

  socket.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'join') {
      member.name = message.name;
      room = joinRoom(message.room, member);
      socket.send(JSON.stringify({ type: 'joined', room: room.name }));
    } else if (message.type === 'say' && room !== null) {
      room.broadcast({ type: 'said', name: member.name, text: message.text });
    }
  });

  socket.on('close', () => {
    room = null;
  });
});

server.listen(process.env.PORT ?? 8080);
