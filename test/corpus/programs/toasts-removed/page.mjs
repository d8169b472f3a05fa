import { createServer } from 'node:http';
import { render, show } from './toasts.mjs';

createServer((request, response) => {
  show(`document ${request.url.slice(1)}`);
  response.setHeader('content-type', 'text/html');
  response.end(render());
}).listen(process.env.PORT ?? 8080);
