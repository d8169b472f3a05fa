import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BootShard, ListenAddress, ListenRequest } from '../protocol/index.ts';
import { addressOf, isClash, matchShard, normalizeHost } from './listen-request.ts';

const tcp = (host: string, port = 80, v6only = false): ListenAddress => ({ kind: 'tcp', host, port, v6only });

const asks = (change: Partial<ListenRequest>): ListenRequest => ({
  host: null,
  port: 80,
  v6only: false,
  path: null,
  randomIndex: null,
  reservedPort: null,
  ...change,
});

const shard = (address: ListenAddress, randomIndex: number | null = null): BootShard => ({
  key: JSON.stringify(address),
  address,
  randomIndex,
  shard: '5:1',
  private: null,
});

describe('A listen request', () => {
  it('for any address is dual-stack where the machine has IPv6', () => {
    assert.deepEqual(addressOf(asks({}), true), tcp('::'));
    assert.deepEqual(addressOf(asks({}), false), tcp('0.0.0.0'));
    assert.deepEqual(addressOf(asks({ port: 0, reservedPort: 4000 }), true), tcp('::', 4000));
    assert.deepEqual(addressOf(asks({ path: '/s' }), true), { kind: 'unix', path: '/s' });
  });

  it('finds the shard of its address and no other', () => {
    const shards = [tcp('::'), tcp('127.0.0.1'), tcp('::', 81, true)].map((address) => shard(address));
    const found = (change: Partial<ListenRequest>): number =>
      shards.indexOf(matchShard(shards, asks(change), true) as BootShard);
    assert.equal(found({}), 0);
    assert.equal(found({ host: '::' }), 0);
    assert.equal(found({ host: '127.0.0.1' }), 1);
    assert.equal(found({ host: '0.0.0.0' }), -1);
    assert.equal(found({ v6only: true }), -1);
    assert.equal(found({ port: 81, v6only: true }), 2);
    assert.equal(found({ port: 82 }), -1);
  });

  it('for a random port finds the shard of the same call', () => {
    const shards = [shard(tcp('::', 4000), 0), shard(tcp('::', 4001), 1), shard(tcp('::', 4002))];
    const found = matchShard(shards, asks({ port: 0, randomIndex: 1 }), true);
    assert.deepEqual(found?.address, tcp('::', 4001));
    assert.equal(matchShard(shards, asks({ port: 0, randomIndex: 2 }), true), undefined);
    assert.equal(matchShard(shards, asks({ port: 0, randomIndex: 0, host: '127.0.0.1' }), true), undefined);
  });

  it('clashes where the kernel says so', () => {
    const rows: [ListenAddress, ListenAddress, boolean][] = [
      [tcp('::'), tcp('::'), true],
      [tcp('::'), tcp('0.0.0.0'), true],
      [tcp('::'), tcp('127.0.0.1'), true],
      [tcp('::', 80, true), tcp('0.0.0.0'), false],
      [tcp('::', 80, true), tcp('::1'), true],
      [tcp('0.0.0.0'), tcp('127.0.0.1'), true],
      [tcp('0.0.0.0'), tcp('::1'), false],
      [tcp('127.0.0.1'), tcp('127.0.0.2'), false],
      [tcp('::'), tcp('::', 81), false],
      [{ kind: 'unix', path: '/a' }, { kind: 'unix', path: '/a' }, true],
      [{ kind: 'unix', path: '/a' }, tcp('::'), false],
    ];
    for (const [a, b, expected] of rows) {
      assert.equal(isClash(a, b), expected, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
      assert.equal(isClash(b, a), expected, `${JSON.stringify(b)} and ${JSON.stringify(a)}`);
    }
  });

  it('knows the spellings of an IPv6 address', () => {
    assert.equal(normalizeHost('0:0:0:0:0:0:0:0'), '::');
    assert.equal(normalizeHost('::0001'), '::1');
    assert.equal(normalizeHost('127.0.0.1'), '127.0.0.1');
    assert.equal(normalizeHost('fe80::1%eth0'), 'fe80::1%eth0');
  });
});
