/**
 * Load for the cases: `node examples/cases/load.mjs carts 600` or `… quotes 300`, as many requests to 127.0.0.1 on PORT
 * (3000 unless told), eight at a time. Waits until the service answers.
 */
import { Agent, request as requestHttp } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const CLIENTS = 8;
const [kind = 'carts', count = '600'] = process.argv.slice(2);
const port = Number(process.env.PORT ?? 3000);
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

const post = async (path, body) =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const request = requestHttp({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode >= 400) reject(new Error(`${path} answered with ${response.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      });
    });
    request.on('error', reject);
    request.end(text);
  });

const itemsOf = (number) =>
  Array.from({ length: 10 }, (_, at) => ({ sku: `sku-${(number * 7 + at * 13) % 300}`, cents: 500 + at, quantity: 2 }));

const JOBS = {
  carts: async (number) => {
    const { id } = await post('/carts', { customer: `customer ${number}`, items: itemsOf(number) });
    await post(`/carts/${id}/payment`, {});
  },
  quotes: async (number) => {
    await post('/quotes', { items: itemsOf(number) });
  },
};

const job = JOBS[kind];
if (job === undefined) throw new Error(`no load called ${kind}; there are ${Object.keys(JOBS).join(', ')}`);

for (let attempt = 1; ; attempt += 1) {
  try {
    await job(0);
    break;
  } catch (error) {
    if (error.code !== 'ECONNREFUSED' || attempt === 200) throw error;
    await setTimeout(50);
  }
}

let next = 1;
const client = async () => {
  while (next < Number(count)) {
    const number = next;
    next += 1;
    await job(number);
  }
};
await Promise.all(Array.from({ length: CLIENTS }, client));
agent.destroy();
console.log(`${count} ${kind}`);
