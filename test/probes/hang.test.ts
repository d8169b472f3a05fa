/** Many probes that hang at once: bounded descriptors and memory, and everything is given back. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { closeDescriptor, unixListenSocket } from '../../src/os/index.ts';
import { commandPids, type ProbeHandle } from '../../src/probes/index.ts';
import type { ProbeTarget } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { open, probe, worker } from './support/ask.ts';
import { http, httpServer } from './support/servers.ts';

const MIB = 1024 ** 2;

const descriptors = (): number => readdirSync('/proc/self/fd').length;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** In use by this process, garbage collected. */
const usedBytes = (): number => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Watches `count` workers of different apps with one probe each until `turns` attempts of each have ended. */
async function hang(
  count: number,
  turns: number,
  target: (index: number) => ProbeTarget,
  reach: Parameters<typeof worker>[0],
): Promise<{
  readonly mostDescriptors: number;
  readonly mostBytes: number;
  readonly errors: ReadonlySet<string | null>;
}> {
  const probes = open();
  const errors = new Set<string | null>();
  const handles: ProbeHandle[] = [];
  const left = new Set<string>();
  let mostDescriptors = 0;
  let mostBytes = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = setInterval(() => {
    mostDescriptors = Math.max(mostDescriptors, descriptors());
    mostBytes = Math.max(mostBytes, usedBytes());
  }, 100);
  for (let index = 0; index < count; index++) {
    let ended = 0;
    const id = `app${index}/0`;
    left.add(id);
    const liveness = probe(target(index), { periodMs: 400, timeoutMs: 300 });
    handles.push(
      probes.watch(worker({ id, probes: { liveness }, ...reach }), {
        onChange: () => undefined,
        onResult: (_kind, { error }) => {
          errors.add(error);
          if (++ended === turns) left.delete(id);
          if (left.size === 0) resolve();
        },
      }),
    );
  }
  await promise;
  clearInterval(look);
  for (const handle of handles) handle.close();
  return { mostDescriptors, mostBytes, errors };
}

describe('a hundred probes that hang at once', () => {
  it('hold one connection each at most, and leave nothing behind', async () => {
    // Nothing of Node is loaded for the first time while it is looked at.
    await using server = await httpServer(() => undefined);
    await hang(1, 1, () => http(server.port), {});
    await eventually('the connection is closed', () => server.sockets.size === 0);
    const descriptorsBefore = descriptors();
    const bytesBefore = usedBytes();
    const { mostDescriptors, mostBytes, errors } = await hang(100, 4, () => http(server.port), {});
    assert.deepEqual([...errors], ['it took the connection and did not answer within 300 ms']);
    // Both ends of each connection are here.
    assert.ok(mostDescriptors - descriptorsBefore <= 202, `${mostDescriptors - descriptorsBefore} descriptors`);
    assert.ok(mostDescriptors - descriptorsBefore >= 50, 'many did hang together, or this test sees nothing');
    assert.ok(mostBytes - bytesBefore < 20 * MIB, `${(mostBytes - bytesBefore) / MIB} MiB`);
    await eventually('all connections are closed', () => server.sockets.size === 0);
    await eventually('all descriptors are free', () => descriptors() <= descriptorsBefore);
    const kept = usedBytes() - bytesBefore;
    assert.ok(kept < 2 * MIB, `${kept} bytes are kept`);
  });

  it('do not add up where a socket never accepts', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 's');
    const fd = unixListenSocket(path, { backlog: 64, mode: 0o600 });
    const before = descriptors();
    const { mostDescriptors, errors } = await hang(100, 4, () => http(null), { privateSocket: () => path });
    assert.ok(mostDescriptors - before <= 101, `${mostDescriptors - before} descriptors`);
    const expected = [
      'it took the connection and did not answer within 300 ms',
      'its queue of connections is full: it accepts none (EAGAIN)',
    ];
    assert.deepEqual(errors, new Set(expected));
    await eventually('all descriptors are free', () => descriptors() <= before);
    closeDescriptor(fd);
  });

  it('take no more of a flood of bodies than their 10 KiB each', async () => {
    const chunk = Buffer.alloc(65_536, 'x');
    await using server = await httpServer((_request, response) => {
      response.statusCode = 500;
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const before = usedBytes();
    const { mostBytes } = await hang(100, 4, () => http(server.port), {});
    assert.ok(mostBytes - before < 40 * MIB, `${(mostBytes - before) / MIB} MiB`);
  });

  it('run eight commands at once at most, and leave no process', async () => {
    const before = descriptors();
    let most = 0;
    const look = setInterval(() => (most = Math.max(most, commandPids().size)), 10);
    const target: ProbeTarget = { kind: 'exec', argv: ['sleep', '1000'] };
    await hang(100, 1, () => target, {});
    clearInterval(look);
    assert.ok(most <= 8, `${most} at once`);
    assert.ok(most >= 4, 'and more than a few, or this test sees nothing');
    await eventually('all commands are gone', () => commandPids().size === 0);
    await eventually('all descriptors are free', () => descriptors() <= before);
  });
});
