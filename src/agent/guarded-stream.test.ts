import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { GuardedStream, HOLD_MS, RETRY_MS } from './guarded-stream.ts';

/** A file on a disk of so many bytes. */
class Disk {
  room: number;
  code = 'ENOSPC';
  text = '';
  tries = 0;
  nowMs = 0;
  readonly stream = new GuardedStream(
    (bytes) => this.write(bytes),
    () => this.nowMs,
  );

  constructor(room: number) {
    this.room = room;
  }

  /** As the kernel does: what fits, and an error where nothing does. */
  write(bytes: Uint8Array): number {
    this.tries += 1;
    const taken = Math.min(bytes.length, this.room);
    if (taken === 0) throw Object.assign(new Error(this.code), { code: this.code });
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }

  /** As the wrapped `fs.writeSync` does. */
  print(text: string): void {
    const bytes = Buffer.from(text);
    if (!this.stream.isOpen()) this.stream.drop(bytes);
    else this.stream.finish(bytes);
  }
}

describe('an output file without room', () => {
  it('drops and counts what does not fit, ends the torn line, and says in the file what is missing', () => {
    const disk = new Disk(10);
    disk.print('first\n');
    disk.print('second\n');
    disk.print('third\n');
    disk.room = 1000;
    disk.nowMs = RETRY_MS;
    disk.print('fourth\n');
    assert.equal(disk.text, 'first\nseco\ndrover: 2 lines (9 bytes) of output were dropped here (ENOSPC)\nfourth\n');
    assert.deepEqual(disk.stream.drops, { lines: 2, bytes: 9, isDropping: true, code: 'ENOSPC' });
    disk.nowMs += HOLD_MS;
    assert.equal(disk.stream.drops?.isDropping, false);
  });

  it('owes the end of a line whose text is in the file, and does not count it', () => {
    const disk = new Disk(3);
    disk.print('one\n');
    assert.equal(disk.stream.drops, null);
    disk.room = 1000;
    disk.nowMs = RETRY_MS;
    disk.print('two\n');
    assert.equal(disk.text, 'one\ntwo\n');
  });

  it('asks the disk again only now and then, and tells of a silent app once it is asked to', () => {
    const disk = new Disk(1);
    for (let count = 0; count < 100; count++) disk.print('x\n');
    assert.equal(disk.tries, 2);
    disk.room = 1000;
    assert.equal(disk.stream.catchUp(), false);
    disk.nowMs = RETRY_MS;
    assert.equal(disk.stream.catchUp(), true);
    assert.equal(disk.text, 'x\ndrover: 99 lines (198 bytes) of output were dropped here (ENOSPC)\n');
  });

  it('absorbs what a disk can do to its writers, and nothing else', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG']) {
      const disk = new Disk(0);
      disk.code = code;
      disk.print('x\n');
      assert.deepEqual(disk.stream.drops, { lines: 1, bytes: 2, isDropping: true, code });
    }
    for (const code of ['EPIPE', 'EBADF', 'EAGAIN']) {
      const disk = new Disk(0);
      disk.code = code;
      assert.throws(() => disk.print('x\n'), { code });
      assert.equal(disk.stream.drops, null);
    }
  });

  it('has every line in the file or counted, however room comes and goes, and notes that add up', () => {
    const move = fc.oneof(
      fc.record({ print: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ room: fc.nat({ max: 200 }) }),
      fc.record({ wait: fc.constantFrom(1, RETRY_MS) }),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const disk = new Disk(100);
        let printed = 0;
        for (const step of moves) {
          if ('print' in step) disk.print(`${++printed}:${'x'.repeat(step.print)}.\n`);
          else if ('room' in step) disk.room = step.room;
          else disk.nowMs += step.wait;
        }
        disk.room = 10_000;
        disk.stream.catchUp(true);
        const lines = disk.text.split('\n');
        const whole = lines.filter((line) => /^\d+:x+\.$/.test(line));
        const noted = lines.reduce((sum, line) => sum + Number(/^drover: (\d+) lines?/.exec(line)?.[1] ?? 0), 0);
        assert.equal(whole.length + (disk.stream.drops?.lines ?? 0), printed);
        assert.equal(noted, disk.stream.drops?.lines ?? 0);
      }),
    );
  });
});
