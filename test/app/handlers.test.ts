/** `healthHandler` in real servers of every framework that it is for, under each supported Node. */
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, linkPackage, Program } from './support/program.ts';

const SERVER_NAMES = [
  'node',
  'node, alone',
  'express 4',
  'express 4, mounted',
  'express 5',
  'express 5, mounted',
  'fastify',
  'fastify, by route',
  'koa',
  'hono',
];
const KNOWN = { headers: { authorization: 'Bearer secret' } };

before(linkPackage);

underEachNode('healthHandler', (node) => {
  it('answers in every framework, and leaves the rest to it', { timeout: 60_000 }, async () => {
    await using program = new Program('frameworks.mjs', { node: node.path });
    const ports = await program.ports();
    assert.deepEqual(Object.keys(ports), SERVER_NAMES);
    const all = async (check: (port: number, name: string) => Promise<void>): Promise<void> => {
      for (const [name, port] of Object.entries(ports)) await check(port, name);
    };

    await all(async (port, name) => {
      for (const path of ['/health', '/health/live', '/health/ready', '/health/ready?probe=1']) {
        const answer = await ask(port, path);
        assert.deepEqual(
          [answer.status, answer.text, answer.cache],
          [200, '{"status":"pass"}', 'no-store'],
          `${name} ${path}`,
        );
        assert.match(answer.type ?? '', /^application\/health\+json/, `${name} ${path}`);
      }
      for (const path of ['/health', '/health/ready']) {
        const body = JSON.parse((await ask(port, path, KNOWN)).text) as Record<string, unknown>;
        const { checks, ...rest } = body as { checks: Record<string, { status: string }[]> };
        assert.deepEqual(rest, { status: 'pass', version: '1', serviceId: 'shop' }, name);
        assert.deepEqual(
          checks['database:responseTime']?.map(({ status }) => status),
          ['pass'],
          name,
        );
      }
      const stranger = await ask(port, '/health', { headers: { authorization: 'Bearer secrets' } });
      assert.equal(stranger.text, '{"status":"pass"}', name);
      const head = await ask(port, '/health/ready', { method: 'HEAD' });
      assert.deepEqual([head.status, head.text], [200, ''], name);
      assert.equal((await ask(port, '/none')).status, 404, name);
      if (name !== 'node, alone') assert.equal((await ask(port, '/')).text, 'own', name);
      if (!name.startsWith('fastify')) assert.equal((await ask(port, '/health', { method: 'POST' })).status, 405, name);
    });

    await ask(ports['node'] ?? 0, '/turn/down');
    await eventually('the check fails', async () => (await ask(ports['node'] ?? 0, '/health/ready')).status === 503);
    await all(async (port, name) => {
      const bare = await ask(port, '/health/ready');
      assert.deepEqual([bare.status, bare.text], [503, '{"status":"fail"}'], name);
      const { output } = JSON.parse((await ask(port, '/health', KNOWN)).text) as { output: string };
      assert.equal(output, 'database: connection refused', name);
      assert.equal((await ask(port, '/health/live')).status, 200, `${name}: liveness knows of no dependency`);
    });
    await ask(ports['node'] ?? 0, '/turn/up');
    await eventually('the check passes', async () => (await ask(ports['node'] ?? 0, '/health/ready')).status === 200);

    program.child.kill('SIGTERM');
    await eventually('it is draining', async () => (await ask(ports['node'] ?? 0, '/health/ready')).status === 503);
    await all(async (port, name) => {
      const { output } = JSON.parse((await ask(port, '/health/ready', KNOWN)).text) as { output: string };
      assert.equal(output, 'draining', name);
      assert.equal((await ask(port, '/health/live')).status, 200, `${name}: what drains is alive`);
    });
    await eventually('the hook can end', async () => (await ask(ports['node'] ?? 0, '/finish')).status === 200);
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGTERM' });
  });
});
