import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Breach, findBreaches } from '../../scripts/rooms.ts';

/** A project of two rooms, `net` (may import `os`) and `os` (may import nothing), plus the files given. */
function breachesOf(files: Record<string, string>): Breach[] {
  const root = mkdtempSync(join(tmpdir(), 'drover-rooms-'));
  const all = {
    'package.json': JSON.stringify({ dependencies: { koffi: '1.0.0' } }),
    'src/net/tsconfig.json': JSON.stringify({ references: [{ path: '../os' }] }),
    'src/os/tsconfig.json': '{}',
    'src/core/tsconfig.json': '{}',
    'src/agent/tsconfig.json': '{}',
    ...files,
  };
  try {
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return findBreaches(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const onlyProblem = (files: Record<string, string>): string => {
  const breaches = breachesOf(files);
  assert.equal(breaches.length, 1, JSON.stringify(breaches));
  return breaches[0]?.problem ?? '';
};

describe('the rule of rooms', () => {
  it('holds in this repository', () => {
    assert.deepEqual(findBreaches(join(import.meta.dirname, '..', '..')), []);
  });

  it('accepts a referenced room through its door', () => {
    assert.deepEqual(breachesOf({ 'src/net/port.ts': "import { listen } from '../os/index.ts'; listen();" }), []);
  });

  it('refuses a way past the door, also for types, re-exports and dynamic imports', () => {
    for (const line of [
      "import { listen } from '../os/socket.ts'; listen();",
      "import type { Fd } from '../os/socket.ts'; export const fd: Fd = 1;",
      "export * from '../os/socket.ts';",
      "export { listen } from '../os/socket.ts';",
      "export const load = () => import('../os/socket.ts');",
      "export type Fd = import('../os/socket.ts').Fd;",
    ]) {
      assert.match(onlyProblem({ 'src/net/port.ts': line }), /past the door/, line);
    }
  });

  it('refuses a room that is not among the references', () => {
    assert.match(onlyProblem({ 'src/os/socket.ts': "export * from '../net/index.ts';" }), /may not import net/);
  });

  it('refuses a source that imports a test support file', () => {
    assert.match(onlyProblem({ 'src/os/socket.ts': "export * from '../../test/support/x.ts';" }), /outside src/);
  });

  it('lets tests use test support and look inside, and refuses both to what is built on the rooms', () => {
    assert.deepEqual(breachesOf({ 'src/os/socket.test.ts': "import '../../test/support/x.ts';" }), []);
    assert.deepEqual(breachesOf({ 'test/os/x.test.ts': "import '../../src/os/socket.ts';" }), []);
    assert.match(onlyProblem({ 'examples/demo.ts': "import '../src/os/socket.ts';" }), /past the door/);
    assert.match(onlyProblem({ 'bench/run.ts': "import '../src/os/socket.ts';" }), /past the door/);
  });

  it('lets the agent, and nobody else, take the side door of protocol', () => {
    assert.deepEqual(breachesOf({ 'src/agent/main.ts': "import '../protocol/agent.ts';" }), []);
    assert.match(onlyProblem({ 'src/net/port.ts': "import '../protocol/agent.ts';" }), /past the door/);
  });

  it('refuses Node in a pure room, but not in its tests', () => {
    assert.match(onlyProblem({ 'src/core/worker.ts': "import 'node:fs';" }), /pure/);
    assert.deepEqual(breachesOf({ 'src/core/worker.test.ts': "import 'node:test'; import 'fast-check';" }), []);
  });

  it('refuses packages in the agent and packages that do not ship elsewhere', () => {
    assert.match(onlyProblem({ 'src/agent/main.ts': "import 'koffi';" }), /takes no packages/);
    assert.match(onlyProblem({ 'src/os/socket.ts': "import 'express';" }), /not among the dependencies/);
    assert.deepEqual(breachesOf({ 'src/os/socket.ts': "import 'koffi';" }), []);
  });

  it('refuses a builtin without node:', () => {
    assert.match(onlyProblem({ 'src/os/socket.ts': "import 'fs';" }), /write node:fs/);
  });
});
