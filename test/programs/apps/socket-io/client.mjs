/**
 * Twenty Socket.IO clients, as a browser has them: long polling first, then a WebSocket; a message that was not
 * acknowledged is sent again. Arguments: port. Prints a JSON line each 100 ms and a last one after the line `stop`.
 */
import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';

const CLIENTS = 20;
const counts = { acknowledged: 0, wrong: 0, disconnects: 0, refused: 0, open: 0, ended: false };
let isStopping = false;

const sockets = Array.from({ length: CLIENTS }, () => {
  const socket = io(`http://127.0.0.1:${process.argv[2]}`, {
    reconnectionDelay: 20,
    reconnectionDelayMax: 200,
    retries: 10,
    ackTimeout: 2000,
    forceNew: true,
  });
  socket.on('disconnect', () => (counts.disconnects += 1));
  socket.on('connect_error', () => (counts.refused += 1));
  return socket;
});

async function talk(socket) {
  for (let number = 0; !isStopping; number++) {
    counts.open += 1;
    const answer = await socket.emitWithAck('say', number);
    counts.open -= 1;
    if (answer === number) counts.acknowledged += 1;
    else counts.wrong += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const print = () => console.log(JSON.stringify(counts));
const timer = setInterval(print, 100);
createInterface({ input: process.stdin })
  .on('line', () => (isStopping = true))
  .on('close', () => (isStopping = true));
await Promise.all(sockets.map(talk));
clearInterval(timer);
counts.ended = true;
print();
process.exit(0);
