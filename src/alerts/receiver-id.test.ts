import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReceiverConfig } from '../protocol/index.ts';
import { nameReceivers } from './receiver-id.ts';

const receiver = (target: ReceiverConfig['target'], fields: Partial<ReceiverConfig> = {}): ReceiverConfig => ({
  target,
  headers: {},
  severities: ['page'],
  apps: null,
  groupWaitMs: 0,
  repeatMs: 1_000,
  ...fields,
});
const hook = (url: string, fields = {}) => receiver({ kind: 'webhook', url }, fields);

describe('the name of a receiver', () => {
  it('stays when anything but its target changes, and others come or go', () => {
    const [one] = nameReceivers([hook('https://a.example/x')]);
    const [, same] = nameReceivers([hook('https://b.example/'), hook('https://a.example/x', { groupWaitMs: 9 })]);
    assert.equal(one?.id, same?.id);
    assert.match(one?.id ?? '', /^webhook-[0-9a-f]{6}$/);
  });

  it('tells two of the same target apart', () => {
    const [one, two] = nameReceivers([hook('https://a.example/x'), hook('https://a.example/x', { severities: [] })]);
    assert.equal(two?.id, `${one?.id}-2`);
  });

  it('comes with an address that holds no secret', () => {
    const addresses = nameReceivers([
      hook('https://user:secret@hooks.example/services/T0/secret?key=secret'),
      receiver({ kind: 'alertmanager', url: 'http://127.0.0.1:9093' }),
      receiver({ kind: 'command', argv: ['/usr/bin/notify', '--token', 'secret'] }),
    ]).map(({ address }) => address);
    assert.deepEqual(addresses, ['https://hooks.example/…', 'http://127.0.0.1:9093', '/usr/bin/notify']);
  });
});
