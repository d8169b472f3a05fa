import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENT_KEY, Kept } from './kept.ts';

const replayed = (kept: Kept, said: string[]): string[] => {
  said.length = 0;
  kept.replay();
  return [...said];
};

describe('kept writes', () => {
  it('are replayed in their order, the last of each key, without what a later one makes void', () => {
    const said: string[] = [];
    const kept = new Kept();
    const add = (key: string, what: string, replaces: string[] = []): void =>
      kept.add(key, () => void said.push(what), replaces);
    add('a', 'a1');
    add('b', 'b1');
    add('a', 'a2');
    add('c', 'c1', ['b']);
    assert.deepEqual(replayed(kept, said), ['a2', 'c1']);
    assert.equal(kept.size, 2);
    kept.clear();
    assert.deepEqual(replayed(kept, said), []);
  });

  it('that fail for their own sake do not keep the others from being written', () => {
    const said: string[] = [];
    const kept = new Kept();
    kept.add('bad', () => assert.fail('no such column'), []);
    kept.add('good', () => void said.push('good'), []);
    assert.deepEqual(replayed(kept, said), ['good']);
    assert.deepEqual([kept.size, kept.dropped], [1, 1]);
  });

  it('do not grow with events: the oldest are dropped and counted, other writes never', () => {
    const said: string[] = [];
    const kept = new Kept();
    kept.add('app', () => void said.push('app'), []);
    for (let seq = 1; seq <= 2_000; seq += 1) kept.add(`${EVENT_KEY}${seq}`, () => void said.push(String(seq)), []);
    const all = replayed(kept, said);
    assert.deepEqual([all[0], all.at(-1)], ['app', '2000']);
    assert.equal(kept.dropped, 2_000 - (all.length - 1));
    assert.ok(kept.size < 600);
  });
});
