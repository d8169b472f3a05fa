import { createServer } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const open = new Set();

function* rows(name) {
  for (let row = 0; row < 80; row++) yield { name, row, value: row ** 2 };
}

const toCsv = () =>
  new Transform({
    objectMode: true,
    transform: (row, _encoding, callback) => callback(null, `${row.name};${row.row};${row.value}\n`),
  });

const server = createServer(async (request, response) => {
  const source = Readable.from(rows(request.url.split('/').at(-1)));
  open.add(source);
  response.setHeader('content-encoding', 'gzip');
  try {
    await pipeline(source, toCsv(), createGzip({ level: 1 }), response);
  } catch {
    response.destroy();
  } finally {
    open.delete(source);
  }
});

server.listen(process.env.PORT);
