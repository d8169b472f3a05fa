import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';

const totals = { bytes: 0, copies: 0 };

async function size(stream) {
  for await (const chunk of stream) totals.bytes += chunk.length;
  totals.copies += 1;
}

createServer(async (request, response) => {
  const [stored, hashed] = ReadableStream.from(['head', `body of ${request.url}`, 'tail']).tee();
  const through = new PassThrough();
  const sized = size(through);
  for await (const chunk of stored) through.write(chunk);
  through.end();
  await Promise.all([sized, hashed.cancel()]);
  response.end(JSON.stringify(totals));
}).listen(process.env.PORT);
