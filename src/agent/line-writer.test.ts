import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineWriter } from './line-writer.ts';

/** A descriptor whose other side takes nothing for so many tries. */
class Pipe {
  readonly tries: number[] = [];
  text = '';
  #refusals: number;
  readonly isEmptied = Promise.withResolvers<void>();
  readonly #length: number;

  constructor(refusals: number, length: number) {
    this.#refusals = refusals;
    this.#length = length;
  }

  write(bytes: Uint8Array): number {
    this.tries.push(bytes.length);
    if (this.tries.length <= this.#refusals) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    this.text += Buffer.from(bytes).toString();
    if (this.text.length >= this.#length) this.isEmptied.resolve();
    return bytes.length;
  }
}

describe('lines for somebody who does not read', () => {
  it('are kept as they are, however often they are tried, and arrive once and in order', async () => {
    const pipe = new Pipe(6, 8);
    const writer = new LineWriter((bytes) => pipe.write(bytes), assert.fail);
    // Its timer keeps no process alive.
    const alive = setInterval(() => {}, 1_000);
    assert.equal(writer.write('one', 'agent'), true);
    assert.equal(writer.write('two', 'agent'), true);
    await pipe.isEmptied.promise;
    clearInterval(alive);
    assert.equal(pipe.text, 'one\ntwo\n');
    assert.equal(writer.write('three', 'agent'), true);
    assert.equal(pipe.text, 'one\ntwo\nthree\n');
    assert.ok(!pipe.tries.includes(0), `nothing else is kept with them: ${pipe.tries.join(' ')}`);
    assert.equal(pipe.tries.length, 6 + 3);
  });

  it('of the agent are kept where the app has filled its own bound', () => {
    let isReading = false;
    const pipe = new Pipe(0, Infinity);
    const writer = new LineWriter((bytes) => {
      if (isReading) return pipe.write(bytes);
      throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    }, assert.fail);
    const line = 'x'.repeat(100_000);
    let kept = 0;
    while (writer.write(line, 'app')) kept += 1;
    assert.equal(kept, 10);
    assert.equal(writer.write('hello', 'agent'), true);
    assert.equal(writer.write(line, 'app'), false);
    isReading = true;
    assert.equal(writer.write(line, 'app'), true, 'what waits goes first, and then there is room');
    assert.equal(pipe.text, `${`${line}\n`.repeat(10)}hello\n${line}\n`);
  });

  it('are dropped beyond a bound, and all of them once nobody can read them', () => {
    let isClosed = false;
    let broken = 0;
    const writer = new LineWriter(
      () => {
        throw Object.assign(new Error('x'), { code: isClosed ? 'EPIPE' : 'EAGAIN' });
      },
      () => (broken += 1),
    );
    const line = 'x'.repeat(100_000);
    let kept = 0;
    while (writer.write(line, 'agent')) kept += 1;
    assert.equal(kept, 10);
    isClosed = true;
    writer.write('short', 'agent');
    assert.equal(broken, 1);
    assert.equal(writer.write('short', 'agent'), false);
    writer.close();
  });
});
