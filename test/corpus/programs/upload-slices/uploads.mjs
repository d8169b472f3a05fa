import { createServer } from 'node:http';

/** The first bytes say what kind of file it is. */
const signatures = new Map();

const KINDS = [
  { kind: 'jpeg', bytes: [0xff, 0xd8] },
  { kind: 'png', bytes: [0x89, 0x50] },
];

function kindOf(signature) {
  return KINDS.find(({ bytes }) => bytes.every((byte, index) => signature[index] === byte))?.kind ?? 'unknown';
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const whole = Buffer.alloc(size);
  let offset = 0;
  for (const chunk of chunks) offset += chunk.copy(whole, offset);
  return whole;
}

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end();
  const name = request.url.slice('/files/'.length);
  const body = await readBody(request);
  signatures.set(name, body.subarray(0, 8));
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ name, kind: kindOf(signatures.get(name)), size: body.length }));
});

server.listen(process.env.PORT ?? 3000);
