import { createServer } from 'node:http';
import { audit, live, publish } from './feed.mjs';

const latest = [];

async function showLive() {
  for await (const change of live) {
    latest.unshift(change.id);
    if (latest.length > 10) latest.pop();
  }
}

/** Writes all changes of the day. */
async function writeAudit(write) {
  for await (const change of audit) await write(`${change.id} ${change.by}\n`);
}

showLive().catch(console.error);
if (process.env.AUDIT_FILE) writeAudit(async (line) => process.stdout.write(line)).catch(console.error);

createServer((request, response) => {
  publish({ id: request.url.slice(1), by: request.headers['x-user'], fields: { price: 3, stock: 9 } });
  response.end(JSON.stringify(latest));
}).listen(process.env.PORT);
