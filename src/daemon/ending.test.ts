/** When the daemon's end begins, and with what: asked at each moment of its life. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ending } from './ending.ts';

const observed = (): { ends: [boolean, number][]; end: (keeps: boolean, code: number) => Promise<void> } => {
  const ends: [boolean, number][] = [];
  return { ends, end: async (keeps, code) => void ends.push([keeps, code]) };
};

describe('the end of a daemon', () => {
  it('begins once, as it was first asked for', () => {
    const { ends, end } = observed();
    const ending = new Ending();
    ending.begin(end);
    ending.ask(true, 85);
    ending.ask(false);
    assert.deepEqual(ends, [[true, 85]]);
  });

  it('waits for the end of the beginning', () => {
    const { ends, end } = observed();
    const ending = new Ending();
    ending.ask(false);
    assert.equal(ending.isAsked, true);
    assert.deepEqual(ends, []);
    ending.begin(end);
    assert.deepEqual(ends, [[false, 0]]);
  });

  it('waits while the process is about to become another program, which hears that it was asked for', async () => {
    const { ends, end } = observed();
    const ending = new Ending();
    ending.begin(end);
    await ending.become(async () => {
      assert.equal(ending.isAsked, false);
      ending.ask(true, 85);
      assert.equal(ending.isAsked, true);
      assert.deepEqual(ends, []);
    });
    assert.deepEqual(ends, [[true, 85]]);
  });

  it('is no beginning of another program', async () => {
    const { end } = observed();
    const ending = new Ending();
    ending.begin(end);
    ending.ask(false);
    await ending.become(async () => assert.fail('it became another program'));
  });
});
