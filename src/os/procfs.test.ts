import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStat } from './procfs.ts';

describe('a line of /proc/<pid>/stat', () => {
  it('is read past a command with spaces and parentheses', () => {
    const stat = parseStat(
      '4242 (a) b (c)) S 17 4242 99 0 -1 4194560 1 0 0 0 12 30 0 0 20 0 7 0 310718 1000 200 18446744073709551615 1 1 0 0 0 0 0 4096 16 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 256',
    );
    assert.deepEqual(stat, {
      pid: 4242,
      command: 'a) b (c)',
      state: 'S',
      ppid: 17,
      processGroup: 4242,
      session: 99,
      startTicks: 310718,
      cpuMs: 420,
      exitStatus: 256,
    });
  });

  it('is nothing when it is no such line', () => {
    assert.equal(parseStat(''), null);
  });
});
