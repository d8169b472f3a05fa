import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { watchActivity } from './activity.ts';

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-activity-'));
});
after(() => rmSync(root, { recursive: true }));

describe('the activity in a directory', { concurrency: true }, () => {
  it('is noticed by a later look where the one that a change brought about failed', async () => {
    const directory = mkdtempSync(join(root, 'app-'));
    const path = join(directory, 'file');
    let failures = 0;
    const { promise: isSeen, resolve } = Promise.withResolvers<void>();
    const activity = watchActivity({
      directory,
      keepsAlive: true,
      onTick() {
        if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
        if (failures < 1) {
          failures += 1;
          throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
        }
        resolve();
        return false;
      },
    });
    try {
      writeFileSync(path, 'the only line\n');
      await isSeen;
      assert.equal(failures, 1);
    } finally {
      activity.close();
    }
  });

  it('is noticed where the very first look failed', async () => {
    let looks = 0;
    const { promise: isSeen, resolve } = Promise.withResolvers<void>();
    const activity = watchActivity({
      directory: root,
      keepsAlive: true,
      onTick() {
        looks += 1;
        if (looks === 1) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
        resolve();
        return false;
      },
    });
    await isSeen;
    activity.close();
  });
});
