import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BLOCK_BYTES, compressBlock, decodeTable, encodeTable, tableBytes } from './archive-format.ts';
import { archivePath, markPath, readShelf } from './archive-name.ts';
import type { ArchiveFormat } from './archive-name.ts';
import { openLogReader } from './log-reader.ts';

let root = '';
let folders = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-archive-'));
});
after(() => rmSync(root, { recursive: true }));

const newFile = () => {
  folders += 1;
  const archiveDirectory = join(root, String(folders));
  mkdirSync(archiveDirectory);
  return { path: join(archiveDirectory, '0.1.out.log'), stem: '0.1.out', archiveDirectory, indexPath: null };
};

const pack = (bytes: Buffer, format: ArchiveFormat): Buffer => {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES)
    blocks.push(compressBlock(bytes.subarray(at, at + BLOCK_BYTES), format));
  return Buffer.concat([
    ...blocks,
    encodeTable(
      blocks.map(({ length }) => length),
      format,
    ),
  ]);
};

describe('an archive', () => {
  for (const format of ['zst', 'gz'] as const) {
    it(`in ${format} says where its blocks are, and a torn one that it does not know`, () => {
      const tail = encodeTable([100, 7, 30], format);
      assert.deepEqual(decodeTable(tail.subarray(-tableBytes(3, format)), format), [0, 100, 107, 137]);
      assert.equal(decodeTable(tail.subarray(0, -1), format), null);
      assert.equal(decodeTable(Buffer.alloc(0), format), null);
    });

    it(`in ${format} and the file after it are read as one run of bytes, from any place`, async () => {
      const file = newFile();
      const whole = Buffer.alloc(3 * BLOCK_BYTES, 'The quick brown fox. ');
      const [first, end] = [8192, 2 * BLOCK_BYTES + 4096];
      writeFileSync(archivePath(file, { start: 0, end: first }, format), pack(whole.subarray(0, first), format));
      writeFileSync(archivePath(file, { start: first, end }, format), pack(whole.subarray(first, end), format));
      writeFileSync(file.path, Buffer.concat([Buffer.alloc(end), whole.subarray(end)]));
      const reader = await openLogReader(file);
      assert.ok(reader);
      const buffer = Buffer.alloc(whole.length);
      for (const [from, length] of [
        [0, whole.length],
        [first - 3, 10],
        [end - 1, 2],
        [first + BLOCK_BYTES - 1, BLOCK_BYTES],
        [whole.length - 5, 100],
      ] as const) {
        const { bytesRead } = await reader.read(buffer, 0, length, from);
        assert.ok(buffer.subarray(0, bytesRead).equals(whole.subarray(from, from + length)), `${from} ${length}`);
      }
      await reader.close();
    });
  }

  it('is read instead of what was freed in the file after the reader had looked', async () => {
    const file = newFile();
    const whole = Buffer.alloc(3 * 4096, 'The quick brown fox. ');
    writeFileSync(file.path, whole);
    const reader = await openLogReader(file);
    assert.ok(reader);
    writeFileSync(archivePath(file, { start: 0, end: 8192 }, 'zst'), pack(whole.subarray(0, 8192), 'zst'));
    writeFileSync(file.path, Buffer.concat([Buffer.alloc(8192), whole.subarray(8192)]));
    const { bytesRead, buffer } = await reader.read(Buffer.alloc(whole.length), 0, whole.length, 0);
    assert.ok(bytesRead === whole.length && buffer.equals(whole));
    await reader.close();
  });

  it('that is removed under a reader leaves it with nothing, not with something else', async () => {
    const file = newFile();
    const whole = Buffer.alloc(3 * 4096, 'The quick brown fox. ');
    const archive = archivePath(file, { start: 0, end: 8192 }, 'zst');
    writeFileSync(archive, pack(whole.subarray(0, 8192), 'zst'));
    writeFileSync(file.path, Buffer.concat([Buffer.alloc(8192), whole.subarray(8192)]));
    const reader = await openLogReader(file);
    assert.ok(reader);
    renameSync(archive, markPath(file, 8192, 8200));
    assert.equal((await reader.read(Buffer.alloc(100), 0, 100, 4096)).bytesRead, 0);
    assert.equal(reader.base, 8200);
    await reader.close();
  });

  it('is ordered by its place; what is below a mark is gone', () => {
    const file = newFile();
    for (const [start, end] of [
      [8192, 12_288],
      [0, 4096],
      [4096, 8192],
    ] as const)
      writeFileSync(archivePath(file, { start, end }, 'zst'), '');
    writeFileSync(join(file.archiveDirectory, '0.11.out.0-4096.zst'), '');
    assert.deepEqual(
      readShelf(file).archives.map(({ start }) => start),
      [0, 4096, 8192],
    );
    writeFileSync(markPath(file, 4096, 4100), '');
    writeFileSync(markPath(file, 8192, 8200), '');
    const { archives, base, archivedEnd, stale } = readShelf(file);
    assert.deepEqual([archives.map(({ start }) => start), base, archivedEnd], [[8192], 8200, 12_288]);
    assert.deepEqual(stale.toSorted(), ['0.1.out.0-4096.zst', '0.1.out.4096-4100.gone', '0.1.out.4096-8192.zst']);
  });

  it('that is damaged is told, not read as something else', async () => {
    const file = newFile();
    writeFileSync(archivePath(file, { start: 0, end: 4096 }, 'zst'), 'half of it');
    const reader = await openLogReader(file);
    await assert.rejects(reader?.read(Buffer.alloc(10), 0, 10, 0) ?? Promise.resolve(), /is damaged/);
    await reader?.close();
  });
});
