import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TinyHeap } from '../../../test/support/tiny-heap.ts';
import { NO_DISTANCE, SYSTEM_DISTANCE } from '../model/analysis.ts';
import { analyzeHeap } from '../analyze.ts';

// What snapshots of Node seldom or never show; the rest of the rules is compared with DevTools on real ones (test/oracle).
describe('description of nodes', () => {
  it('does not follow every third entry of the descriptors of a map', async () => {
    const heap = new TinyHeap();
    const global = 4;
    const descriptors = heap.node('array', '(map descriptors)', 101);
    const [key, value, named] = [103, 105, 107].map((id) => heap.node('object', `target ${id}`, id)) as [
      number,
      number,
      number,
    ];
    heap.edge(global, 'internal', 'descriptors', descriptors);
    heap.edge(descriptors, 'element', 3, key);
    heap.edge(descriptors, 'element', 4, value);
    heap.edge(descriptors, 'internal', '7', named);
    const { distance } = await analyzeHeap(heap.graph());
    assert.deepEqual(
      [descriptors, key, value, named].map((node) => distance[node]),
      [2, 3, NO_DISTANCE, NO_DISTANCE],
    );
  });

  it('counts what only the runtime reaches from the root', async () => {
    const heap = new TinyHeap();
    const handled = heap.node('object', 'handled', 101);
    heap.handle(handled);
    const { distance } = await analyzeHeap(heap.graph());
    assert.deepEqual([distance[0], distance[handled]], [SYSTEM_DISTANCE, SYSTEM_DISTANCE + 3]);
  });

  it('gives the bytes of an external string to the string, and those that two hold to nobody', async () => {
    const heap = new TinyHeap();
    const global = 4;
    const [one, other] = [101, 103].map((id) => heap.node('string', `text ${id}`, id, 16)) as [number, number];
    const bytes = heap.node('native', 'system / ExternalStringData', 105, 1000);
    const shared = heap.node('array', '', 107, 500);
    for (const text of [one, other]) {
      heap.edge(global, 'property', `text${text}`, text);
      heap.edge(text, 'internal', 'shared', shared);
    }
    heap.edge(one, 'internal', 'resource', bytes);
    const { shallowSize, graph } = await analyzeHeap(heap.graph());
    assert.deepEqual(
      [one, other, bytes, shared].map((node) => shallowSize[node]),
      [1016, 16, 0, 500],
    );
    assert.equal(graph.selfSize[bytes], 1000);
  });

  it('names plain objects by as many properties as 120 characters hold', async () => {
    const heap = new TinyHeap();
    const property = (letter: string, length: number): string => letter.repeat(length);
    // A brace, 58 letters and 61 letters are 120: commas and the brace that closes do not count.
    const names = (lastLength: number): string[] => [property('a', 58), property('b', lastLength), 'c'];
    const objects = [61, 62].flatMap((lastLength) =>
      [0, 1].map((at) => {
        const object = heap.node('object', 'Object', 101 + 10 * lastLength + 2 * at);
        heap.edge(4, 'property', `o${object}`, object);
        for (const name of names(lastLength)) heap.edge(object, 'property', name, 4);
        return object;
      }),
    );
    const { classOf, classes } = await analyzeHeap(heap.graph());
    const [fits, , tooLong] = objects.map((node) => classes[classOf[node] ?? 0]?.name);
    assert.equal(fits, `{${property('a', 58)}, ${property('b', 61)}}`);
    assert.equal(tooLong, `{${property('a', 58)}}`);
  });

  it('calls an element by its tag, detached where only detached objects lead to it', async () => {
    const heap = new TinyHeap();
    const graph = (() => {
      const attached = heap.node('native', '<div id="a">', 101);
      const child = heap.node('native', '<p class="b">', 103);
      const loose = heap.node('native', '<div id="c">', 105);
      const below = heap.node('native', 'Text', 107);
      for (const node of [attached, loose]) heap.edge(4, 'property', `n${node}`, node);
      heap.edge(attached, 'internal', 'child', child);
      heap.edge(loose, 'internal', 'child', below);
      heap.edge(loose, 'internal', 'other', child);
      const made = heap.graph();
      made.detachedness[attached] = 1;
      made.detachedness[loose] = 2;
      return { made, nodes: [attached, child, loose, below] };
    })();
    const { classOf, classes } = await analyzeHeap(graph.made);
    assert.deepEqual(
      graph.nodes.map((node) => classes[classOf[node] ?? 0]?.name),
      ['<div>', '<p>', 'Detached <div>', 'Detached Text'],
    );
  });
});
