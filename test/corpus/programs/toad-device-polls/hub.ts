import { createServer } from 'node:http';
import { watchDevice } from './devices.ts';

const server = createServer((request, response) => {
  const device = request.url?.split('/').at(-1) ?? '';
  watchDevice(device).then(
    (reading) => response.end(JSON.stringify(reading)),
    () => response.writeHead(500).end(),
  );
});

server.listen(process.env.PORT);
