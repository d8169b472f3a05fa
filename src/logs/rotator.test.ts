import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BLOCK_BYTES, compressBlock, encodeTable } from './archive-format.ts';
import type { ArchivedFile } from './archive-name.ts';
import type { Compress } from './compress.ts';
import { openLogReader } from './log-reader.ts';
import { openRotator } from './rotator.ts';
import type { RotatorOptions } from './rotator.ts';

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-rotator-'));
});
after(() => rmSync(root, { recursive: true }));

const SIZE = 64 * 1024;
const DUE = { bytes: SIZE, urgentBytes: Infinity };
const LATER_MS = 60_000;

const newFile = (name: string): ArchivedFile => {
  const path = join(root, `${name}.log`);
  writeFileSync(path, 'a line\n'.repeat(SIZE));
  truncateSync(path, SIZE);
  return { path, stem: name, archiveDirectory: join(root, `archive-of-${name}`), indexPath: null };
};

const archives = ({ archiveDirectory }: ArchivedFile): string[] => readdirSync(archiveDirectory);

const TOOLS: RotatorOptions = {
  compress: async ({ target }) => writeFileSync(target, 'an archive'),
  punch: () => true,
  onStep: () => {},
  format: () => 'zst',
  monotonicMs: () => 0,
  onProblem: () => {},
  makeRoom: async () => {},
  onRotated: async () => {},
};

/** As the compressor does, without a process. */
const compress: Compress = async ({ source, target, start, end }) => {
  const bytes = readFileSync(source).subarray(start, end);
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(compressBlock(bytes.subarray(at, at + BLOCK_BYTES), 'gz'));
  const lengths = blocks.map(({ length }) => length);
  writeFileSync(target, Buffer.concat([...blocks, encodeTable(lengths, 'gz')]));
};

/** What readers see of the first `length` bytes. */
async function readAll(file: ArchivedFile, length: number): Promise<Buffer> {
  const reader = await openLogReader(file);
  assert.ok(reader);
  const { buffer, bytesRead } = await reader.read(Buffer.alloc(length), 0, length, 0);
  await reader.close();
  return buffer.subarray(0, bytesRead);
}

describe('the rotation of all files', () => {
  it('goes on after the disk was full and no room could be made, also for the file that met it', async () => {
    const problems: string[] = [];
    let isFull = true;
    let nowMs = 0;
    const rotator = openRotator({
      ...TOOLS,
      monotonicMs: () => nowMs,
      onProblem: (message) => problems.push(message),
      async compress(request) {
        if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        writeFileSync(request.target, 'an archive');
      },
      async makeRoom() {
        throw new Error('the quota cannot be read');
      },
    });
    const [first, second] = [newFile('first'), newFile('second')];
    rotator.grown(first, SIZE, DUE);
    await rotator.idle();
    assert.match(problems.join('\n'), /first\.log was not rotated: no space left.*\n.*the quota cannot be read/);
    isFull = false;
    nowMs = LATER_MS;
    for (const file of [first, second]) rotator.grown(file, SIZE, DUE);
    await rotator.idle();
    for (const file of [first, second]) assert.deepEqual(archives(file), [`${file.stem}.0-${SIZE}.zst`]);
  });

  it('goes on after what follows a rotation failed, or who is told of that did', async () => {
    let isBroken = true;
    const rotator = openRotator({
      ...TOOLS,
      async onRotated() {
        if (isBroken) throw new Error('the limits cannot be read');
      },
      onProblem() {
        throw new Error('nobody listens');
      },
    });
    const [third, fourth] = [newFile('third'), newFile('fourth')];
    rotator.grown(third, SIZE, DUE);
    await assert.rejects(rotator.idle(), /nobody listens/);
    isBroken = false;
    rotator.grown(fourth, SIZE, DUE);
    await rotator.idle();
    for (const file of [third, fourth]) assert.deepEqual(archives(file), [`${file.stem}.0-${SIZE}.zst`]);
  });

  it('takes what a file that could not be emptied has in archives for what it is', async () => {
    const rotator = openRotator(TOOLS);
    const file = newFile('fifth');
    rotator.grown(file, SIZE, DUE);
    await rotator.idle();
    // Who empties it says so first, and then meets an error.
    rotator.restart(file);
    writeFileSync(file.path, Buffer.alloc(SIZE));
    writeFileSync(file.path, 'more\n'.repeat(SIZE), { flag: 'a' });
    truncateSync(file.path, 3 * SIZE);
    rotator.grown(file, 3 * SIZE, DUE);
    await rotator.idle();
    assert.deepEqual(archives(file).toSorted(), [`fifth.${SIZE}-${3 * SIZE}.zst`, `fifth.0-${SIZE}.zst`].toSorted());
  });

  it('never makes an archive of what is half freed, where freeing failed in the middle and is tried again', async () => {
    const MIB = 1024 ** 2;
    let nowMs = 0;
    let isBroken = true;
    const problems: string[] = [];
    const rotator = openRotator({
      ...TOOLS,
      compress,
      format: () => 'gz',
      monotonicMs: () => nowMs,
      onProblem: (message) => problems.push(message),
      punch(fd, offset, length) {
        if (isBroken && offset > 0) throw Object.assign(new Error('the disk failed'), { code: 'EIO' });
        writeSync(fd, Buffer.alloc(length), 0, length, offset);
        return true;
      },
    });
    const file = newFile('sixth');
    const first = Buffer.alloc(12 * MIB, 'The quick brown fox. ');
    writeFileSync(file.path, first);
    rotator.grown(file, first.length, DUE);
    await rotator.idle();
    assert.match(problems.join(), /sixth\.log was not rotated: the disk failed/);
    assert.ok((await readAll(file, first.length)).equals(first), 'it is half freed, and in its archive');

    const more = Buffer.alloc(MIB, 'He jumps over the lazy dog. ');
    writeFileSync(file.path, more, { flag: 'a' });
    isBroken = false;
    nowMs = LATER_MS;
    const whole = Buffer.concat([first, more]);
    rotator.grown(file, whole.length, DUE);
    await rotator.idle();
    assert.ok((await readAll(file, whole.length)).equals(whole));
    const [end, last] = [first.length, whole.length];
    assert.deepEqual(archives(file).toSorted(), [`sixth.0-${end}.gz`, `sixth.${end}-${last}.gz`].toSorted());
  });
});
