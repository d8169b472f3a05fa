/** Processes that are not our children: their end, their family, their descriptors, and who is at the other end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  bootId,
  children,
  descendants,
  freeMemoryBytes,
  isAlive,
  lookupUser,
  peerOf,
  readCommandLine,
  readStat,
  readUsage,
  readVariable,
  startTicks,
  usableCpus,
  watchExit,
} from '../../src/os/index.ts';
import type { ExitStatus } from '../../src/os/index.ts';
import { until } from './net-support.ts';

/** Starts a process whose parent is another one, and tells its pid. */
async function spawnGrandchild(script: string): Promise<{ readonly pid: number; readonly end: () => void }> {
  const parent = spawn('sh', ['-c', `exec 3<&0; sh -c '${script}' <&3 & echo $!; wait`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [data] = (await once(parent.stdout, 'data')) as [Buffer];
  return { pid: Number(String(data)), end: () => parent.stdin.end() };
}

describe('the end of a process that is not our child', () => {
  for (const [script, expected] of [
    ['read x; exit 7', { code: 7, signal: null }],
    ['read x; kill -TERM $$', { code: null, signal: 'SIGTERM' }],
  ] as const) {
    it(`is noticed: ${script}`, { timeout: 10_000 }, async () => {
      const { pid, end } = await spawnGrandchild(script);
      const ended = new Promise<ExitStatus | null>((resolve) => {
        watchExit(pid, resolve);
      });
      // The watch does not keep the test alive by itself.
      const alive = setInterval(() => {}, 1000);
      end();
      const status = await ended;
      clearInterval(alive);
      // Where the kernel does not tell, that must be said, never guessed.
      if (status !== null) assert.deepEqual(status, expected);
      assert.ok(!isAlive(pid, null));
    });
  }
});

describe('a process', () => {
  it('is known by its pid and start, and a zombie is dead', async () => {
    const child = spawn('sleep', ['30']);
    const pid = child.pid ?? 0;
    const ticks = startTicks(pid);
    assert.ok(ticks !== null && ticks > 0);
    assert.ok(isAlive(pid, ticks));
    assert.ok(!isAlive(pid, ticks + 1));
    assert.equal(readStat(pid)?.ppid, process.pid);
    assert.ok(children(process.pid).includes(pid));
    assert.ok((readUsage(pid)?.rssBytes ?? 0) > 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(!isAlive(pid, ticks));
    assert.equal(readStat(pid), null);
    assert.match(bootId(), /^[0-9a-f-]{36}$/);
  });

  it('is found with all its family, also those whose parent has died', async () => {
    const env = { ...process.env, DROVER_SPAWN: `test-${process.pid}` };
    // It says so when the inner shell, which would count as well, has ended.
    const wrapper = spawn('sh', ['-c', '(sleep 30 & setsid sleep 30 &); sleep 30 & echo started; wait'], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(wrapper.stdout, 'data');
    const family = (): readonly number[] => descendants(wrapper.pid ?? 0, env.DROVER_SPAWN);
    await until(() => family().length === 4, 'the wrapper and three sleepers');
    for (const pid of family()) process.kill(pid, 'SIGKILL');
    await until(() => family().length === 0, 'all are gone');
  });
});

describe('the other end of a Unix socket', () => {
  it('is known by its credentials', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-'));
    const path = join(folder, 's');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const client = connect(path);
    const [socket] = (await once(server, 'connection')) as [{ _handle: { fd: number }; destroy: () => void }];
    assert.deepEqual(peerOf(socket._handle.fd), {
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    client.destroy();
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
});

describe('the machine', () => {
  it('has CPUs and memory for us', () => {
    assert.ok(Number.isInteger(usableCpus()) && usableCpus() >= 1);
    const total = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    assert.ok(freeMemoryBytes() > 0 && freeMemoryBytes() <= total);
  });

  it('knows its users by name and number', () => {
    const me = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
    const uid = process.getuid?.() ?? -1;
    assert.equal(lookupUser(me)?.uid, uid);
    assert.equal(lookupUser(uid)?.name, me);
    assert.equal(lookupUser('no such user'), null);
  });
});

describe('the door of os/', () => {
  it('loads no native code before it is needed', () => {
    const program = `
      await import(${JSON.stringify(new URL('../../src/net/index.ts', import.meta.url).href)});
      const { readFileSync } = await import('node:fs');
      process.stdout.write(String(readFileSync('/proc/self/maps', 'utf8').includes('koffi')));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.equal(output, 'false');
  });
});

describe('what a process was started with', () => {
  for (const [what, isThere] of [
    ['environment', (pid) => readVariable(pid, 'MARK') === 'there'],
    ['command line', (pid) => readCommandLine(pid).length > 0],
  ] as const satisfies readonly (readonly [string, (pid: number) => boolean])[]) {
    it(`is read, also while the process becomes another program: its ${what}`, { timeout: 30_000 }, async () => {
      const script = join(import.meta.dirname, '../fixtures/apps/becomes-itself.sh');
      const child = spawn('sh', [script, '2000'], { env: { ...process.env, MARK: 'there' }, stdio: 'ignore' });
      const pid = child.pid ?? 0;
      let [reads, missed, inVain] = [0, 0, 0];
      while (child.exitCode === null) {
        for (let time = 0; time < 100; time++) {
          reads += 1;
          inVain += 1;
          if (!isThere(pid)) continue;
          // What was not found before was there all the same; at its end there is nothing any more.
          missed += inVain - 1;
          inVain = 0;
        }
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      assert.ok(reads > 100, `${reads} reads`);
      // It does nothing else, so that all looks may fall into one `execve` or another; looked at once, 3 to 10 of a hundred do.
      assert.ok(missed <= reads / 1000, `${missed} of ${reads} found nothing`);
    });
  }
});
