const { createServer } = require('node:http');
const { WebSocketServer } = require('ws');

const rooms = new Map();
const server = createServer((_request, response) => response.end(String(rooms.size)));
const wss = new WebSocketServer({ server });

function leave(member) {
  clearInterval(member.heartbeat);
  const room = rooms.get(member.room);
  room?.delete(member);
  if (room?.size === 0) rooms.delete(member.room);
}

wss.on('connection', (socket) => {
  const member = { socket, room: null, heartbeat: setInterval(() => socket.ping(), 30_000) };
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    if (message.join !== undefined) {
      member.room = message.join;
      if (!rooms.has(member.room)) rooms.set(member.room, new Set());
      rooms.get(member.room).add(member);
      socket.send('{"joined":true}');
    } else {
      for (const other of rooms.get(member.room)) other.socket.send(JSON.stringify({ said: message.say }));
    }
  });
  socket.on('close', () => leave(member));
});

server.listen(process.env.PORT);
