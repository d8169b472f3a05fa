import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findUnitPlace } from './unit-place.ts';

const usualHome = '/var/lib/drover';

describe('the place of a unit', () => {
  it('is the machine’s folder, or the user’s', () => {
    const place = { home: usualHome, usualHome };
    assert.deepEqual(findUnitPlace({ ...place, scope: 'system', env: {} }), {
      scope: 'system',
      unit: 'drover.service',
      file: '/etc/systemd/system/drover.service',
    });
    const user = (env: Record<string, string>): string => findUnitPlace({ ...place, scope: 'user', env }).file;
    assert.equal(user({ HOME: '/home/a' }), '/home/a/.config/systemd/user/drover.service');
    assert.equal(user({ HOME: '/home/a', XDG_CONFIG_HOME: '/c' }), '/c/systemd/user/drover.service');
    assert.equal(user({ HOME: '/home/a', XDG_CONFIG_HOME: 'c' }), '/home/a/.config/systemd/user/drover.service');
  });

  it('has a name of its own for every other home, in characters that a unit may have', () => {
    const unitOf = (home: string): string => findUnitPlace({ scope: 'system', home, usualHome, env: {} }).unit;
    assert.equal(unitOf('/srv/shop/.drover'), 'drover-srv-shop-.drover.service');
    assert.equal(unitOf('/srv/my shop/50%'), 'drover-srv-my-shop-50.service');
    assert.ok(unitOf(`/${'long/'.repeat(100)}`).length < 255);
  });
});
