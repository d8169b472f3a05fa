import { createServer } from 'node:http';
import { describeErrors, rememberError } from './recent-errors.mjs';

function convert(text) {
  const value = Number(text);
  if (Number.isNaN(value)) throw new TypeError(`not a number: ${text}`);
  return { celsius: value, fahrenheit: value * 1.8 + 32 };
}

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/errors') return response.end(JSON.stringify(describeErrors()));
  try {
    response.end(JSON.stringify(convert(url.searchParams.get('value'))));
  } catch (error) {
    rememberError(error, request);
    response.writeHead(400).end(error.message);
  }
}).listen(process.env.PORT);
