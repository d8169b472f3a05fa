/** A hello-world as its author writes it: CommonJS, no framework. */
const { createServer } = require('node:http');

const options = { port: Number(process.env.APP_PORT) };
// The bare processes of the benchmark share the port by themselves; everything else just listens.
if (process.env.REUSE_PORT === '1') options.reusePort = true;
createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end('hello world\n');
}).listen(options);
