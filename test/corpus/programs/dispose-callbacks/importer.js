const { createServer } = require('node:http');
const { container } = require('./container.js');

function startImport(tenant, payload) {
  const records = payload.split(',').map((name, index) => ({ name, index, tenant, tags: [`t${index % 4}`] }));
  let cancelled = false;
  const store = () => {
    let stored = 0;
    for (const record of records) {
      if (cancelled) break;
      if (record.tags.length > 0) stored += 1;
    }
    return stored;
  };
  container.onDispose(() => {
    cancelled = true;
  });
  return store();
}

const server = createServer((request, response) => {
  const names = Array.from({ length: 40 }, (_, i) => `name${i}`).join(',');
  response.end(String(startImport(request.url.slice(1), names)));
});

process.once('SIGTERM', () => server.close(() => container.dispose()));
server.listen(process.env.PORT);
