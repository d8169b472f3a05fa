import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isUnitOf, renderUnit, type UnitFacts } from './unit-text.ts';

const FACTS: UnitFacts = {
  scope: 'system',
  home: '/var/lib/drover',
  daemon: ['/usr/bin/node', '--no-opt', '/usr/lib/node_modules/drover/dist/daemon/main.js'],
  upgrade: ['/usr/bin/node', '/usr/lib/node_modules/drover/bin/drover', 'daemon', 'upgrade'],
  user: null,
  version: '1.2.3',
};
const lines = (facts: Partial<UnitFacts> = {}): string[] => renderUnit({ ...FACTS, ...facts }).split('\n');

describe('the text of the unit', () => {
  it('lets systemd bring the daemon back for ever, without its apps', () => {
    for (const line of [
      'Type=notify',
      'Restart=always',
      'StartLimitIntervalSec=0',
      'KillMode=process',
      'OOMPolicy=continue',
      'Delegate=yes',
      'WatchdogSec=30s',
      'FileDescriptorStoreMax=4096',
      'ExecReload=/usr/bin/node /usr/lib/node_modules/drover/bin/drover daemon upgrade',
      'WantedBy=multi-user.target',
    ])
      assert.ok(lines().includes(line), line);
  });

  it('never forbids memory that is writable and executable, which V8 compiles into', () => {
    for (const facts of [{}, { user: 'app' }, { scope: 'user' as const }])
      assert.doesNotMatch(renderUnit({ ...FACTS, ...facts }), /MemoryDenyWriteExecute/);
  });

  it('of a user starts with that user’s manager, and takes nothing that implies NoNewPrivileges', () => {
    const user = lines({ scope: 'user', home: '/home/a/.local/state/drover' });
    assert.ok(user.includes('WantedBy=default.target'));
    for (const text of [user, lines({ user: 'app' })])
      assert.deepEqual(
        text.filter((line) => /^(LockPersonality|Restrict|SystemCall|CapabilityBoundingSet|NoNewPriv)/.test(line)),
        [],
      );
    assert.ok(lines({ user: 'app' }).includes('User=app'));
  });

  it('is known again as the unit of its home, and no other', () => {
    for (const home of ['/var/lib/drover', '/srv/my shop/50%']) {
      const text = renderUnit({ ...FACTS, home });
      assert.equal(isUnitOf(text, home), true);
      assert.equal(isUnitOf(text, '/srv/other'), false);
    }
    assert.equal(isUnitOf('[Service]\nEnvironment=DROVER_HOME=/var/lib/drover\n', '/var/lib/drover'), false);
  });
});
