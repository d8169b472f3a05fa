import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lanes } from './lanes.ts';

/** Enters as `owner` and notes that it began, under a name. */
const enter = (lanes: Lanes, begun: string[], owner: string, name = owner) => {
  let release = (): void => {};
  const leave = lanes.enter(owner, (free) => {
    begun.push(name);
    release = free;
  });
  return { leave, release: () => release() };
};

describe('lanes', () => {
  it('begin at once while there is room, and later in the order of coming', () => {
    const lanes = new Lanes({ atOnce: 2, ofOneOwner: 2 });
    const begun: string[] = [];
    const first = enter(lanes, begun, 'a', '1');
    enter(lanes, begun, 'a', '2');
    enter(lanes, begun, 'a', '3');
    enter(lanes, begun, 'a', '4');
    assert.deepEqual(begun, ['1', '2']);
    first.release();
    assert.deepEqual(begun, ['1', '2', '3']);
  });

  it('keep room for others than the one who fills them', () => {
    const lanes = new Lanes({ atOnce: 4, ofOneOwner: 2 });
    const begun: string[] = [];
    for (let count = 0; count < 5; count++) enter(lanes, begun, 'hangs');
    enter(lanes, begun, 'other');
    assert.deepEqual(begun, ['hangs', 'hangs', 'other']);
  });

  it('free a place once, however often it is said', () => {
    const lanes = new Lanes({ atOnce: 1, ofOneOwner: 1 });
    const begun: string[] = [];
    const first = enter(lanes, begun, 'a');
    enter(lanes, begun, 'b');
    enter(lanes, begun, 'c');
    first.release();
    first.release();
    assert.deepEqual(begun, ['a', 'b']);
    assert.equal(lanes.underWay, 1);
  });

  it('do not begin what nobody waits for any more', () => {
    const lanes = new Lanes({ atOnce: 1, ofOneOwner: 1 });
    const begun: string[] = [];
    const first = enter(lanes, begun, 'a');
    const second = enter(lanes, begun, 'b');
    second.leave();
    second.leave();
    first.release();
    assert.deepEqual(begun, ['a']);
    assert.deepEqual([lanes.underWay, lanes.waiting], [0, 0]);
  });
});
