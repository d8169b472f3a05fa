// Sends back what it is sent.
const { createServer } = require('node:net');

createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket)).listen(Number(process.env.PORT));
