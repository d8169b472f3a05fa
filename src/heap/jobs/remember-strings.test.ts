import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeapGraph } from '../model/graph.ts';
import { rememberStrings } from './remember-strings.ts';

describe('a graph that remembers its strings', () => {
  it('says what the graph says, whatever is asked how often, and decodes a name once', () => {
    let decoded = 0;
    const strings = {
      count: 100_000,
      get: (index: number): string => {
        decoded += 1;
        return index % 2 === 0 ? `name ${index}` : 'x'.repeat(300);
      },
      byteLength: () => 1,
      findNumbered: () => [2],
      find: () => [3],
    };
    const graph = rememberStrings({ strings } as unknown as HeapGraph);
    for (let time = 0; time < 3; time++)
      for (let index = 0; index < 1000; index++)
        assert.equal(graph.strings.get(index), index % 2 === 0 ? `name ${index}` : 'x'.repeat(300));
    assert.equal(decoded, 500 + 3 * 500);
    for (let index = 0; index < 100_000; index += 2) assert.equal(graph.strings.get(index), `name ${index}`);
    assert.equal(graph.strings.get(0), 'name 0');
    assert.deepEqual(
      [graph.strings.count, graph.strings.byteLength(0), graph.strings.findNumbered('')],
      [100_000, 1, [2]],
    );
    assert.deepEqual(graph.strings.find([]), [3]);
  });
});
