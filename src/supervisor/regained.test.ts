import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeRegained, newRegained } from './regained.ts';

describe('where sockets and channels came from', () => {
  it('is told for each way that was used, and not at all where there was nothing to regain', () => {
    const regained = newRegained();
    assert.equal(describeRegained(regained, 'the guard'), null);
    regained.sockets.kept = 3;
    regained.channels.kept = 2;
    regained.channels.workers = 1;
    assert.equal(
      describeRegained(regained, 'the guard'),
      '3 sockets and 2 channels from the guard; 1 channel from the workers themselves',
    );
    regained.sockets.nowhere = 1;
    assert.match(
      describeRegained(regained, 'systemd') ?? '',
      /^3 sockets and 2 channels from systemd; .*; 1 socket could/,
    );
  });
});
