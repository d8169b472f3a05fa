import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maskEnv } from './caller-env.ts';

const MASK = '••••••';

describe('an environment that is shown', () => {
  it('hides what its name calls a secret, and not the directories of the shell', () => {
    const secrets = ['DB_PASSWORD', 'MYSQL_PWD', 'DB_PWD', 'PWD_OF_ADMIN', 'dbPwd', 'API_KEY', 'NPM_TOKEN'];
    const shown = { PWD: '/srv/shop', OLDPWD: '/srv', PORT: '3000', EMPTY_PWD: '' };
    const env = { ...Object.fromEntries(secrets.map((name) => [name, 'hunter2'])), ...shown };
    assert.deepEqual(maskEnv(env), { ...Object.fromEntries(secrets.map((name) => [name, MASK])), ...shown });
  });

  it('hides passwords and tokens in addresses, and leaves names', () => {
    for (const [value, masked] of [
      ['postgres://app:hunter2@db/shop', `postgres://app:${MASK}@db/shop`],
      ['redis://:hunter2@cache', `redis://:${MASK}@cache`],
      ['https://ghp_0123@github.com/acme/shop', `https://${MASK}@github.com/acme/shop`],
      ['https://sk_live_0123:@api.example.com', `https://${MASK}@api.example.com`],
      ['git+https://ghp_0123@github.com/a, http://t@h', `git+https://${MASK}@github.com/a, http://${MASK}@h`],
      ['https://me:hunter2@example.com', `https://me:${MASK}@example.com`],
      ['ssh://git@github.com/acme/shop', 'ssh://git@github.com/acme/shop'],
      ['postgres://app@db/shop', 'postgres://app@db/shop'],
      ['https://example.com/@scope/name?to=a@b.c', 'https://example.com/@scope/name?to=a@b.c'],
    ] as const)
      assert.deepEqual(maskEnv({ ADDRESS: value }), { ADDRESS: masked });
  });
});
