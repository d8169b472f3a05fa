const { createServer } = require('node:http');

const NAMES = ['crypto', 'zlib', 'readline', 'dns', 'url', 'querystring', 'string_decoder', 'tls'];
const handlers = new Map();

function loadHandler(name) {
  const lib = require(`node:${name}`);
  const exported = Object.keys(lib).sort();
  return (request) => ({ route: name, path: request.url, exported: exported.length, first: exported[0] });
}

const server = createServer((request, response) => {
  const index = Number(request.url.split('/')[1]);
  const name = NAMES[index % NAMES.length];
  if (!handlers.has(name)) handlers.set(name, loadHandler(name));
  response.end(JSON.stringify(handlers.get(name)(request)));
});

server.listen(process.env.PORT);
