// Uses what has a side under the daemon; says what happens over Node's channel where there is one, and on stdout.
import { createServer } from 'node:http';
import {
  degrade,
  expectReady,
  GracefulServer,
  health,
  log,
  metrics,
  onDrain,
  onShutdown,
  ready,
  SelfHealing,
  trace,
} from 'drover/app';

expectReady();
let isUp = true;
health.register('database', () => isUp, { critical: true, interval: 50 });
health.register(
  'mail',
  () => {
    throw new Error('away');
  },
  { interval: 50 },
);
metrics.counter('orders_total', 'Orders', ['kind']).inc({ kind: 'new' }, 3);
degrade.on((level, reason) => console.log(`degrade ${level} ${reason}`));
const healing = new SelfHealing({
  recover: (reason) => {
    console.log(`recover ${reason}`);
    if (reason === 'fails') throw new Error('no use');
  },
}).start();
onDrain(() => console.log('drain'));
onShutdown(() => console.log('shutdown'));
const graceful = new GracefulServer(
  createServer((request, response) => {
    if (request.url === '/turn') isUp = !isUp;
    log.info('served', { path: request.url });
    response.end(
      JSON.stringify({
        trace: trace(),
        healing: healing.status(),
        level: degrade.level(),
        health: health.status().status,
      }),
    );
  }),
);
const address = await graceful.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
console.log(JSON.stringify({ port: address.port }));
if (process.argv[2] !== 'late') ready();
