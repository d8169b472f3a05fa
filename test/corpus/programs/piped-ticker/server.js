const { createServer } = require('node:http');
const { follow, tick } = require('./ticker.js');

createServer((request, response) => {
  const prices = follow();
  const lines = [];
  prices.on('data', (chunk) => {
    lines.push(String(chunk));
    if (lines.length === 2) response.end(lines.join(''));
  });
  tick(request.url.length);
  tick(request.url.length + 2);
}).listen(process.env.PORT);
