import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DegradeLevel } from '../protocol/index.ts';
import { Degradation } from './degrade.ts';

describe('Degradation', () => {
  it('is as far as the one who asks for most', () => {
    const degrade = new Degradation();
    const heard: unknown[] = [];
    const off = degrade.on((level, reason, before) => heard.push([before, level, reason]));
    degrade.demand('daemon', 'cache-only', 'database');
    degrade.set('shed', 'own');
    assert.deepEqual([degrade.level(), degrade.reason()], ['cache-only', 'database']);
    degrade.demand('daemon', 'normal', null);
    assert.deepEqual([degrade.level(), degrade.reason()], ['shed', 'own']);
    degrade.set('normal');
    off();
    degrade.set('read-only');
    assert.deepEqual(heard, [
      ['normal', 'cache-only', 'database'],
      ['cache-only', 'shed', 'own'],
      ['shed', 'normal', null],
    ]);
  });

  it('runs an effect when its level is reached or passed, and undoes it below', () => {
    const degrade = new Degradation();
    const seen: string[] = [];
    const off = degrade.when('cache-only', (level) => {
      seen.push(`on ${level}`);
      return () => seen.push('off');
    });
    for (const level of ['shed', 'read-only', 'cache-only', 'shed', 'cache-only'] as const) degrade.set(level);
    assert.deepEqual(seen, ['on read-only', 'off', 'on cache-only']);
    off();
    off();
    degrade.set('normal');
    degrade.set('read-only');
    assert.deepEqual(seen, ['on read-only', 'off', 'on cache-only', 'off']);
  });

  it('runs an effect at once where it has come so far already', () => {
    const degrade = new Degradation();
    degrade.set('read-only');
    let isOn = false;
    degrade.when('shed', () => void (isOn = true));
    assert.equal(isOn, true);
    assert.equal(degrade.isAtLeast('cache-only'), true);
  });

  it('knows its levels', () => {
    const degrade = new Degradation();
    assert.throws(() => degrade.set('panic' as DegradeLevel), /there are normal, shed, cache-only, read-only/);
    assert.throws(() => degrade.when('panic' as DegradeLevel, () => undefined), TypeError);
  });
});
