/** `drover run`: the foreground, as in a container. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openDrover, type Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/processes.ts';
import { freePort } from '../support/temporary.ts';

const SERVER = `require('node:http')
  .createServer((request, response) => response.end('served by ' + process.env.DROVER_WORKER))
  .listen(process.env.PORT, () => console.log('listening'));`;

/** Statements that call `end` when the process whose pid stands in a file is gone, which means that Drover has seen it end. */
const whenGone = (pidFile: string, end: string): string => `
  const isGone = () => {
    try { return !process.kill(Number(require('node:fs').readFileSync(${JSON.stringify(pidFile)}, 'utf8')), 0); }
    catch (error) { return error.code === 'ESRCH'; }
  };
  setInterval(() => isGone() && ${end}, 50);`;

const tellPid = (pidFile: string): string =>
  `require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));`;

const write = async (drover: Drover, name: string, content: string): Promise<string> => {
  const path = join(drover.home, name);
  await writeFile(path, content);
  return path;
};

const answers = (port: number): Promise<string> =>
  eventually('the app answers', async () => {
    try {
      return await (await fetch(`http://127.0.0.1:${port}`)).text();
    } catch {
      return false;
    }
  });

describe('drover run', () => {
  it('lets one app write to its own output, and ends with its exit code', async () => {
    await using drover = await openDrover();
    const script = await write(drover, 'fails.cjs', `console.log('out'); console.error('err'); process.exit(7);`);
    const config = await write(
      drover,
      'drover.config.json',
      JSON.stringify({ apps: { fails: { script, restart: { policy: 'never' } } } }),
    );
    const result = await drover.run(['run', config]);
    assert.equal(result.code, 7);
    assert.equal(result.stdout, 'out\n');
    assert.match(result.stderr, /^err$/m);
  });

  it('marks the lines of several apps, and ends with 128 and the number of the signal that ended the last', async () => {
    await using drover = await openDrover();
    const first = join(drover.home, 'first.pid');
    const quiet = await write(drover, 'quiet.cjs', `${tellPid(first)} console.log('done');`);
    const dying = `console.log('dying'); ${whenGone(first, `process.kill(process.pid, 'SIGKILL')`)}`;
    const killed = await write(drover, 'killed.cjs', dying);
    const restart = { policy: 'never' };
    const apps = { a: { script: quiet, restart }, b: { script: killed, restart } };
    const config = await write(drover, 'drover.config.json', JSON.stringify({ apps }));
    const result = await drover.run(['run', config]);
    assert.equal(result.code, 128 + 9);
    assert.deepEqual(result.stdout.trim().split('\n').toSorted(), ['a/0 | done', 'b/0 | dying']);
  });

  it('ends with the code of the app that ended last, whatever its name', async () => {
    await using drover = await openDrover();
    const first = join(drover.home, 'first.pid');
    const failing = `${tellPid(first)} process.exit(7);`;
    const waiting = whenGone(first, 'process.exit(5)');
    const restart = { policy: 'never' };
    const apps = {
      a: { script: await write(drover, 'waiting.cjs', waiting), restart },
      b: { script: await write(drover, 'failing.cjs', failing), restart },
    };
    const config = await write(drover, 'drover.config.json', JSON.stringify({ apps }));
    assert.equal((await drover.run(['run', config])).code, 5);
  });

  it('serves without a daemon or state on disk, and ends politely on SIGTERM', async () => {
    await using drover = await openDrover();
    const port = await freePort();
    const script = await write(drover, 'server.cjs', SERVER);
    const before = readdirSync(drover.home).toSorted();
    const child = drover.spawn(['run', script, '--instances', '2', '--port', String(port)]);
    const output = text(child.stdout ?? assert.fail('no output'));
    const ended = once(child, 'exit');
    assert.match(await answers(port), /served by server\/[01]/);
    assert.deepEqual(readdirSync(drover.home).toSorted(), before);
    assert.equal(existsSync(join(drover.home, 'drover.sock')), false);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.match(await output, /listening/);
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
  });

  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    it(`leaves nobody behind when it is ended by ${signal}`, async () => {
      await using drover = await openDrover();
      const port = await freePort();
      const script = await write(drover, 'server.cjs', SERVER.replace('served by', "' + process.pid + ' served by"));
      const child = drover.spawn(['run', script, '--port', String(port)]);
      const pid = Number.parseInt(await answers(port), 10);
      child.kill(signal);
      await once(child, 'exit');
      await eventually('the worker is gone', () => !isAlive(pid));
      await assert.rejects(fetch(`http://127.0.0.1:${port}`));
    });
  }

  it('says why it gives up on an app that only crashes', async () => {
    await using drover = await openDrover();
    const script = await write(drover, 'crashes.cjs', 'process.exit(3);');
    const restart = { backoff: { initial: '10ms', max: '20ms' } };
    const config = await write(
      drover,
      'drover.config.json',
      JSON.stringify({ apps: { crashes: { script, restart } } }),
    );
    const result = await drover.run(['run', config]);
    assert.equal(result.code, 3);
    assert.match(result.stderr, /crashes\/0 crashed \d+ times, given up: it exited with code 3/);
  });
});
