/** What is left under the memory limit of a real control group: what a process has taken counts, copies of files that it reads do not. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { memoryLeft } from '../../src/os/index.ts';
import { MemoryGroup, skipsMemoryGroup } from '../support/memory-group.ts';

const MB = 1024 * 1024;
const LIMIT_MB = 300;
const FILE_MB = 128;
const TAKEN_MB = 64;
/** What a Node process takes by itself, with room. */
const OWN_MB = 60;

/** Says what it has done, and goes on when it is told to. */
const PROGRAM = `
  const { openSync, readSync, writeSync } = require('node:fs');
  const file = openSync(process.argv[1], 'w+');
  const piece = Buffer.alloc(1 << 20, 1);
  const pieces = Array.from({ length: ${FILE_MB} }, (_, at) => at);
  const steps = [
    () => pieces.forEach(() => writeSync(file, piece)),
    // Read again and again, so that the kernel thinks it in use.
    () => { for (let time = 0; time < 3; time++) pieces.forEach((at) => readSync(file, piece, 0, piece.length, at << 20)); },
    () => { globalThis.taken = Buffer.alloc(${TAKEN_MB} << 20, 1); },
  ];
  process.stdin.on('data', () => { steps.shift()(); process.stdout.write('done'); });`;

it('copies of files are left, what is taken is not', { skip: skipsMemoryGroup, timeout: 60_000 }, async () => {
  await using group = MemoryGroup.open(`drover-left-${process.pid}`) ?? assert.fail();
  // On a disk: a file in memory is no copy.
  const folder = mkdtempSync('/var/tmp/drover-left-');
  const child = spawn(process.execPath, ['-e', PROGRAM, join(folder, 'file')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const pid = child.pid ?? assert.fail();
  const step = async (): Promise<number> => {
    child.stdin.write('x');
    await once(child.stdout, 'data');
    return (memoryLeft(pid) ?? assert.fail()) / MB;
  };
  try {
    group.limit(LIMIT_MB * MB);
    group.enter(pid);
    await step();
    const reading = await step();
    assert.ok(reading > LIMIT_MB - OWN_MB, `${reading} MB with a file of ${FILE_MB} MB in use`);
    const taking = await step();
    assert.ok(reading - taking > TAKEN_MB - 8, `${taking} MB after ${TAKEN_MB} MB were taken, ${reading} before`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  }
});
