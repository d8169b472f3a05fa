// Answers for its health from a thread, and blocks its event loop as it is told.
import { execSync } from 'node:child_process';
import { createServer } from 'node:http';
import { expectReady, health, ready, serveHealth } from 'drover/app';

expectReady();
health.register('cache', () => true, { critical: true });
const side = await serveHealth({ port: 0, host: '127.0.0.1', thread: true, blockedAfter: 500, token: 'secret' });

const until = (ms, work) => {
  for (const end = Date.now() + ms; Date.now() < end;) work();
};
const BLOCKS = {
  busy: (ms) => until(ms, () => 0),
  regex: (ms) => until(ms, () => /^(a+)+$/.test(`${'a'.repeat(22)}!`)),
  exec: (ms) => execSync(`sleep ${ms / 1000}`),
};
const server = createServer((request, response) => {
  const [, verb, argument, ms] = request.url.split('/');
  if (verb === 'ready') ready();
  response.end('ok');
  if (verb === 'block') response.once('finish', () => setImmediate(() => BLOCKS[argument](Number(ms))));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ main: server.address().port, side: side.port })));
