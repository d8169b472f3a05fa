// Answers /health well, /broken badly, and /hang never; prints nothing.
import { createServer } from 'node:http';

createServer((request, response) => {
  if (request.url === '/hang') return;
  response.statusCode = request.url === '/broken' ? 500 : 200;
  response.end(`${request.headers.host} ${request.url}`);
}).listen(Number(process.env.PORT));
