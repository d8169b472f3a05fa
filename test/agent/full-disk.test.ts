/** Output whose disk is full: the app goes on, whatever it prints with, and what is missing is counted and said. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { openSmallDisk, whyNoSmallDisk } from '../support/small-disk.ts';
import { openFakeDaemon, type FakeWorker } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/prints-numbered.cjs');
/** Freed, it takes all that the app prints until the test has seen it, also on a busy machine. */
const DISK_BYTES = 16 * 1024 * 1024;
const NOTE = /^drover: (\d+) lines? \((\d+) bytes\) of output were dropped here \(ENOSPC\)$/;

const skip = whyNoSmallDisk();

interface Printed {
  readonly numbers: readonly number[];
  readonly notedLines: number;
}

/** The whole lines of the app in a log file, and what the notes in it add up to. */
function readPrinted(path: string): Printed {
  const lines = readFileSync(path, 'utf8').split('\n');
  return {
    numbers: lines.flatMap((line) => /^line (\d+) x{120}$/.exec(line)?.[1] ?? []).map(Number),
    notedLines: lines.reduce((sum, line) => sum + Number(NOTE.exec(line)?.[1] ?? 0), 0),
  };
}

async function stop(worker: FakeWorker): Promise<number> {
  worker.send({ type: 'message', payload: 'stop' });
  const { payload } = await worker.said('message');
  return (payload as { readonly printed: number }).printed;
}

underEachNode('A full disk below the output', ({ path: node }) => {
  for (const way of [
    'console',
    'stdout',
    'stderr',
    'writeSync',
    'bytes',
    'writev',
    'write',
    'stream',
    'thread',
    'cluster',
  ]) {
    it(`ends no app that prints by ${way}, and every line is in the file or counted`, { skip }, async () => {
      using disk = openSmallDisk(DISK_BYTES);
      // Whole pages: of the last line the beginning fits, the end does not.
      disk.fill(100 * 1024);
      await using daemon = await openFakeDaemon();
      const logs = { stdout: join(disk.path, 'out.log'), stderr: join(disk.path, 'err.log') };
      const files = { stdout: openSync(logs.stdout, 'a'), stderr: openSync(logs.stderr, 'a') };
      const worker = await daemon.start({ app: APP, node, files, env: { WAY: way } });
      closeSync(files.stdout);
      closeSync(files.stderr);
      const log = way === 'stderr' ? logs.stderr : logs.stdout;
      const dropping = await worker.said('report', ({ report }) => (report.log?.lines ?? 0) > 100);
      assert.deepEqual([dropping.report.log?.isDropping, dropping.report.log?.code], [true, 'ENOSPC']);
      disk.free();
      await eventually('the note in the file', () => readPrinted(log).notedLines > 100);
      const before = readPrinted(log).numbers.length;
      await eventually('lines after the note', () => readPrinted(log).numbers.length > before);
      const printed = await stop(worker);
      const { numbers, notedLines } = await eventually('the last line', () => {
        const all = readPrinted(log);
        return all.numbers.at(-1) === printed && all;
      });
      assert.equal(numbers.length + notedLines, printed);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(numbers).size, numbers.length);
      await worker.said('report', ({ report }) => report.log?.lines === notedLines);
      if (way === 'console') await worker.said('report', ({ report }) => report.log?.isDropping === false);
      assert.equal(worker.child.exitCode, null);
    });
  }
});
