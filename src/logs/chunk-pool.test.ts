/** Blocks are used again, and never by two at once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openChunk } from './chunk-pool.ts';

const blockOf = async (chunk: ReturnType<typeof openChunk>): Promise<Buffer> => chunk.use(async (block) => block);

describe('a block for reading', () => {
  it('is the same one each time, and another’s once it was given back', async () => {
    const first = openChunk();
    const block = await blockOf(first);
    assert.equal(await blockOf(first), block);
    const other = openChunk();
    assert.notEqual(await blockOf(other), block);
    first.close();
    const next = openChunk();
    assert.equal(await blockOf(next), block);
    for (const each of [other, next]) each.close();
  });

  it('is not given to anybody while the system still reads into it', async () => {
    const first = openChunk();
    const reading = Promise.withResolvers<void>();
    const block = await blockOf(first);
    const use = first.use(async () => reading.promise);
    first.close();
    const second = openChunk();
    assert.notEqual(await blockOf(second), block);
    reading.resolve();
    await use;
    const third = openChunk();
    assert.equal(await blockOf(third), block);
    for (const each of [second, third]) each.close();
  });

  it('comes back also from a read that failed, and once only', async () => {
    const first = openChunk();
    const block = await blockOf(first);
    await assert.rejects(first.use(() => Promise.reject(new Error('EIO'))));
    first.close();
    first.close();
    const [second, third] = [openChunk(), openChunk()];
    assert.equal(await blockOf(second), block);
    assert.notEqual(await blockOf(third), block);
    for (const each of [second, third]) each.close();
  });
});
