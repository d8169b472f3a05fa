// A graceful server: what it says about its way out goes to stdout, a line each.
import { createServer } from 'node:http';
import { GracefulServer, onDrain, onShutdown } from 'drover/app';

const say = (word) => console.log(word);
const options = JSON.parse(process.argv[2] ?? '{}');
const graceful = new GracefulServer(
  createServer((request, response) => {
    const [, verb, ms = '0'] = request.url.split('/');
    if (verb !== 'slow') {
      response.end('quick');
      return;
    }
    say('slow begun');
    setTimeout(() => response.end('slow'), Number(ms));
  }),
  options.server,
);
onDrain((reason) => say(`drain ${reason}`));
onShutdown(async () => say(`cut ${(await graceful.close()).cutRequests}`));
onShutdown(() => say('shutdown first'));
graceful.onShutdown(() => say('shutdown second'));
if (options.hangs !== undefined) onShutdown(() => new Promise(() => {}), { name: 'hangs', timeout: options.hangs });
const { port } = await graceful.listen(0, '127.0.0.1');
console.log(JSON.stringify({ port }));
