import { createServer } from 'node:net';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\nhello from net\n';
createServer((socket) => {
  // A client that is killed resets its connection; that is no reason to die.
  socket.on('error', () => socket.destroy());
  socket.once('data', () => socket.end(ANSWER));
}).listen(Number(process.env.APP_PORT));
