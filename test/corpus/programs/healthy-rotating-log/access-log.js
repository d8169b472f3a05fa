const { createServer } = require('node:http');
const { gzipSync } = require('node:zlib');

const FLUSH_AT = 32_768;
let pending = '';
const shipped = { batches: 0, bytes: 0 };

function ship(text) {
  shipped.batches += 1;
  shipped.bytes += gzipSync(text, { level: 1 }).length;
}

function writeAccess(request, status) {
  pending += `${new Date().toISOString()} ${request.method} ${request.url} ${status} "${request.headers['user-agent'] ?? '-'}"\n`;
  if (pending.length < FLUSH_AT) return;
  ship(pending);
  pending = '';
}

createServer((request, response) => {
  const status = request.url.endsWith('13') ? 404 : 200;
  response.writeHead(status).end(`page ${request.url}`);
  writeAccess(request, status);
}).listen(process.env.PORT);
