import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TinyHeap } from '../../../test/support/tiny-heap.ts';
import { findSuspects } from './find-suspects.ts';

const FILE = '/srv/app/src/shop.js';

describe('findSuspects', () => {
  it('names the holder of a large collection, and says that it is size and not growth', () => {
    const heap = new TinyHeap();
    const { context } = heap.module(FILE, 1001, 'let title;\nconst orders = [];\n');
    const orders = heap.node('object', 'Array', 2001);
    heap.edge(context, 'context', 'orders', orders);
    for (let n = 0; n < 100; n++) heap.edge(orders, 'element', n, heap.node('object', 'Order', 10_001 + 2 * n, 100));
    const [first, ...others] = findSuspects(heap.graph());
    assert.equal(first?.basis, 'size');
    assert.equal(first.growth, undefined);
    assert.equal(first.className, 'Order');
    assert.deepEqual(first.counts, [100]);
    assert.equal(first.retainedBytes, 32 + 100 * 100);
    assert.equal(first.holder, `the Array \`orders\` at ${FILE}:2 (module variable)`);
    assert.deepEqual(others, []);
  });

  it('goes down to the thing that holds most, and passes over what leads to it', () => {
    const heap = new TinyHeap();
    const { context } = heap.module(FILE, 1001, 'const caches = new Map();\n');
    const mapOf = (id: number, items: readonly number[]): number => {
      const map = heap.node('object', 'Map', id);
      const table = heap.node('array', '', id + 2, 16);
      heap.edge(map, 'internal', 'table', table);
      for (const [at, item] of items.entries()) heap.edge(table, 'internal', String(at), item);
      return map;
    };
    const orders = Array.from({ length: 50 }, (_, n) => heap.node('object', 'Order', 10_001 + 2 * n, 100));
    const byId = mapOf(2001, orders);
    heap.edge(context, 'context', 'caches', mapOf(3001, [byId, heap.node('object', 'Settings', 3005, 40)]));
    const [first] = findSuspects(heap.graph());
    assert.equal(first?.className, 'Order');
    assert.deepEqual(first.counts, [50]);
    assert.equal(first.path.at(-2)?.id, 2001);
  });

  it('finds nothing in a heap that is small things only', () => {
    const heap = new TinyHeap();
    const { context } = heap.module(FILE, 1001);
    for (let n = 0; n < 200; n++) {
      heap.edge(context, 'context', `v${n}`, heap.node('object', 'Thing', 10_001 + 2 * n, 100));
    }
    assert.deepEqual(findSuspects(heap.graph()), []);
  });
});
