import { createServer } from 'node:http';
import { once } from 'node:events';
import { requestJson } from './rates-client.mjs';

// Stands in for the other service.
const rates = createServer((request, response) => response.end(JSON.stringify({ path: request.url, rate: 1.07 })));
rates.keepAliveTimeout = 0;
rates.listen(0, '127.0.0.1');
await once(rates, 'listening');
rates.unref();

export async function fetchRate(number) {
  const { rate } = await requestJson(rates.address().port, `/rates/EUR-USD?day=${number}`);
  return rate * number;
}
