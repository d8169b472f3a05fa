import { createServer } from 'node:http';
import { page } from './status.mjs';

const STATES = ['up', 'slow to answer', 'down', 'coming back after a restart'];

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  page.note(url.searchParams.get('service'), STATES[Number(url.searchParams.get('state')) % STATES.length]);
  response.setHeader('content-type', 'text/html');
  response.end(page.lastLine);
}).listen(process.env.PORT);
