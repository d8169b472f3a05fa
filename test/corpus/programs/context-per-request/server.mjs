import { createServer } from 'node:http';
import { currentRequest, requestContext } from './context.mjs';
import { countRequest } from './tenant-metrics.mjs';

function renderReport(id) {
  const { requestId, rows } = currentRequest();
  for (let row = 0; row < 12; row++) rows.push({ id, row, text: `line ${row} of report ${id}` });
  return { id, requestId, rows: rows.length };
}

const server = createServer((request, response) => {
  const store = { requestId: request.headers['x-request-id'], url: request.url, startedAt: Date.now(), rows: [] };
  requestContext.run(store, () => {
    countRequest();
    const report = renderReport(request.url.split('/').at(-1));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(report));
  });
});

server.listen(process.env.PORT ?? 3000);
