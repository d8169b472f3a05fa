import { createServer } from 'node:http';
import { registry } from './registry.mjs';

const load = (id) => ({ id, paragraphs: Array.from({ length: 20 }, (_, i) => `paragraph ${i} of ${id}`) });

createServer((request, response) => {
  const document = registry.open(`tenant-${request.headers['x-tenant']}${request.url}`, load);
  response.end(document.paragraphs.join('\n'));
}).listen(process.env.PORT);
