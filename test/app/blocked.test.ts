/** Health from a thread while the event loop of the app is really blocked, under each supported Node. */
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { underEachNode } from '../agent/support/under-each-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, linkPackage, Program } from './support/program.ts';

const BLOCK_MS = 2500;

before(linkPackage);

underEachNode('A thread that answers for health', (node) => {
  it('says that the event loop is blocked while it is, and for how long', { timeout: 60_000 }, async () => {
    await using program = new Program('blocks.mjs', { node: node.path });
    const { main = 0, side = 0 } = await program.ports();
    const starting = await ask(side, '/health/ready', { headers: { authorization: 'Bearer secret' } });
    assert.deepEqual([starting.status, (JSON.parse(starting.text) as { output: string }).output], [503, 'starting']);
    assert.equal((await ask(side, '/health/live')).status, 200);
    await ask(main, '/ready');
    await eventually('it is ready', async () => (await ask(side, '/health/ready')).status === 200);
    assert.equal((await ask(side, '/other')).status, 404);

    for (const kind of ['busy', 'regex', 'exec']) {
      await ask(main, `/block/${kind}/${BLOCK_MS}`);
      let isMainBack = false;
      const back = ask(main, '/').then(() => (isMainBack = true));
      const live = await eventually(`${kind}: liveness fails`, async () => {
        const answer = await ask(side, '/health/live');
        return answer.status === 503 && answer;
      });
      assert.equal(isMainBack, false, `${kind}: it was told while the event loop was blocked`);
      const { output, checks } = JSON.parse(live.text) as {
        output: string;
        checks: Record<string, { observedValue: number }[]>;
      };
      assert.match(output, /^the event loop has been blocked for \d+\.\d s$/, kind);
      const first = checks['eventLoop:blocked']?.[0]?.observedValue ?? 0;
      assert.ok(first >= 500, `${kind}: ${first} ms`);
      const ready = await ask(side, '/health/ready');
      assert.equal(ready.status, 503, kind);
      const later = (JSON.parse(ready.text) as { checks: Record<string, { observedValue: number }[]> }).checks;
      assert.ok((later['eventLoop:blocked']?.[0]?.observedValue ?? 0) >= first, `${kind}: the time goes on`);
      await back;
      await eventually(`${kind}: all is well again`, async () => (await ask(side, '/health/ready')).status === 200);
    }
  });

  it('keeps no process alive, and refuses a port that is taken', { timeout: 60_000 }, async () => {
    const source = `import { createServer } from 'node:http'; import { serveHealth } from 'drover/app';
      const taken = createServer().listen(0, '127.0.0.1', async () => {
        const { port } = taken.address();
        await serveHealth({ port, host: '127.0.0.1', thread: true }).catch(({ code }) => console.log(code));
        const side = await serveHealth({ port: 0, thread: true });
        console.log(typeof side.port);
        taken.close();
      });`;
    await using program = new Program('', { node: node.path, nodeArgs: ['--input-type=module', '--eval', source] });
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.lines.join('\n'));
    assert.deepEqual(program.lines, ['EADDRINUSE', 'number']);
  });
});
