/** OpenTelemetry's own automatic instrumentation under the daemon, in every way to have Node load it. */
import { describe, it } from 'node:test';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { checkCall } from './chain.ts';
import { openTracedPlace, type Settings } from './place.ts';

const [RUNNING] = listNodes() as [TestNode];

const REGISTER = '@opentelemetry/auto-instrumentations-node/register';
const AUTOMATIC = ['--import', REGISTER];
const HOOK = '--experimental-loader=@opentelemetry/instrumentation/hook.mjs';

/** The same app as a CommonJS module, with another framework. */
const FASTIFY_APP = `
const { get } = require('node:http');
const { fastify } = require('fastify');

const port = Number(process.env.PORT);
const app = fastify();
app.get('/hello/:name', async ({ params, headers }) => {
  console.log('hello ' + params.name);
  return { traceparent: headers.traceparent ?? null };
});
app.get('/call', (_request, reply) => {
  get({ port, path: '/hello/myself', host: '127.0.0.1' }, (answer) => reply.send(answer));
});
app.listen({ port, host: '127.0.0.1' });
`;

describe('the automatic set-up', () => {
  it('does the same for ES modules, with its hook', async () => {
    await using place = await openTracedPlace(RUNNING);
    await place.start((shop) => ({ ...shop, nodeArgs: [HOOK, ...AUTOMATIC] }));
    await checkCall(place);
  });

  const byEnvironment = (shop: Settings): Settings => ({
    ...shop,
    nodeArgs: undefined,
    env: { ...shop.env, NODE_OPTIONS: `--require ${REGISTER}` },
  });
  const asCommand = (shop: Settings, command: readonly string[]): Settings => ({
    ...byEnvironment(shop),
    node: undefined,
    script: undefined,
    command,
  });
  const ways: Readonly<Record<string, (shop: Settings) => Settings>> = {
    'by --require': (shop) => ({ ...shop, script: 'server.cjs', nodeArgs: ['--require', REGISTER] }),
    'by NODE_OPTIONS, so before the agent': (shop) => ({ ...byEnvironment(shop), script: 'server.cjs' }),
    'as `npm start`': (shop) => asCommand(shop, ['npm', 'start']),
    'behind a shell': (shop) => asCommand(shop, ['sh', '-c', 'node server.cjs; exit $?']),
  };
  for (const [what, change] of Object.entries(ways))
    it(`does the same for a CommonJS module, ${what}`, async () => {
      const files = {
        'server.cjs': FASTIFY_APP,
        'package.json': JSON.stringify({ name: 'shop', scripts: { start: 'node server.cjs' } }),
      };
      await using place = await openTracedPlace(RUNNING, files);
      await place.start(change);
      await checkCall(place, {
        // No instrumentation of Fastify is a part of it any more: spans have no routes in their names.
        names: ['GET', 'GET'],
        // The shell itself; the server in it has ended by then.
        ...(what === 'behind a shell' && { end: 'was ended by SIGTERM' }),
      });
    });
});
