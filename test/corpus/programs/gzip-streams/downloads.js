const { Readable } = require('node:stream');
const { createGzip } = require('node:zlib');

const active = new Set();

function* exportRows(name) {
  for (let row = 0; row < 500; row++) yield `${name},${row},${row * 3}\n`;
}

function openDownload(name) {
  const gzip = createGzip({ level: 1, chunkSize: 1024, windowBits: 9, memLevel: 1 });
  gzip.on('error', () => gzip.destroy());
  gzip.on('end', () => active.delete(gzip));
  active.add(gzip);
  return Readable.from(exportRows(name)).pipe(gzip);
}

exports.abortedDownload = async (number) => {
  const stream = openDownload(`export-${number}`);
  const first = await new Promise((resolve) => stream.once('data', resolve));
  stream.pause();
  // The client has gone away.
  stream.destroy();
  await new Promise((resolve) => stream.once('close', resolve));
  return first.length;
};
