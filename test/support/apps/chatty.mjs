/** A server that prints ten numbered lines for each request, the last one as an error. */
import { createServer } from 'node:http';

let printed = 0;
const text = 'x'.repeat(150);

createServer((request, response) => {
  for (let count = 0; count < 9; count++) console.log(`${process.pid} ${++printed} ${text}`);
  process.stderr.write(`${process.pid} ${++printed} ${text}\n`);
  response.end(String(process.pid));
}).listen(Number(process.env.APP_PORT ?? process.env.PORT));
