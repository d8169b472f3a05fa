import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countLostCommits } from './wal-check.ts';

const PAGE = 4096;
const FRAME = PAGE + 24;
const SALT = [7, 9] as const;

const add = (bytes: Uint8Array, [a, b]: readonly [number, number]): [number, number] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at) + b) >>> 0;
    b = (b + view.getUint32(at + 4) + a) >>> 0;
  }
  return [a, b];
};

/** A journal as SQLite writes it, with so many commits of one page each; a salt of its own for each frame. */
function journal(salts: readonly (readonly [number, number])[]): Buffer {
  const wal = Buffer.alloc(32 + salts.length * FRAME);
  wal.writeUInt32BE(0x377f0683, 0);
  wal.writeUInt32BE(3007000, 4);
  wal.writeUInt32BE(PAGE, 8);
  wal.writeUInt32BE(SALT[0], 16);
  wal.writeUInt32BE(SALT[1], 20);
  let sum = add(wal.subarray(0, 24), [0, 0]);
  wal.writeUInt32BE(sum[0], 24);
  wal.writeUInt32BE(sum[1], 28);
  salts.forEach(([one, two], index) => {
    const frame = wal.subarray(32 + index * FRAME, 32 + (index + 1) * FRAME);
    frame.writeUInt32BE(index + 1, 0);
    frame.writeUInt32BE(index + 1, 4);
    frame.writeUInt32BE(one, 8);
    frame.writeUInt32BE(two, 12);
    frame.fill(index + 1, 24);
    sum = add(frame.subarray(24), add(frame.subarray(0, 8), sum));
    frame.writeUInt32BE(sum[0], 16);
    frame.writeUInt32BE(sum[1], 20);
  });
  return wal;
}

describe('a journal', () => {
  it('that is whole, cut off, or followed by frames of an earlier run has lost nothing', () => {
    const whole = journal([SALT, SALT, SALT]);
    assert.equal(countLostCommits(whole), 0);
    assert.equal(countLostCommits(whole.subarray(0, whole.length - 100)), 0);
    assert.equal(countLostCommits(journal([SALT, SALT, [6, 8], [6, 8]])), 0);
    assert.equal(countLostCommits(Buffer.alloc(0)), 0);
  });

  it('with a damaged frame has lost that one and what follows', () => {
    const wal = journal([SALT, SALT, SALT, SALT]);
    wal[32 + FRAME + 1000] = 99;
    assert.equal(countLostCommits(wal), 3);
  });

  it('with a damaged header has lost all of it', () => {
    for (const at of [0, 9, 18, 25]) {
      const wal = journal([SALT, SALT]);
      wal[at] = 0xee;
      assert.equal(countLostCommits(wal), 2, `byte ${at}`);
    }
  });
});
