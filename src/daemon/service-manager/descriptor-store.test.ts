import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { KeptDescriptor } from '../guard.ts';
import { openDescriptorStore } from './descriptor-store.ts';
import type { Fields, Notifier } from './notifier.ts';

const openStore = (list: () => readonly KeptDescriptor[], monotonicUs: number, stored: readonly string[] = []) => {
  const told: Fields[] = [];
  const notifier: Notifier = {
    tell: (fields) => void told.push(fields),
    isBusy: false,
    flush: async () => {},
    close: () => {},
  };
  const store = openDescriptorStore({
    notifier,
    list,
    hasServed: () => true,
    deaths: 0,
    stored,
    sequence: 0,
    monotonicUs: () => monotonicUs,
  });
  return {
    store,
    told,
    names: (field: string) => told.flatMap((fields) => (field in fields ? [fields['FDNAME']] : [])),
  };
};

describe('the descriptors that a service manager keeps', () => {
  it('are stored before the list that names them, and the list before what it replaces is removed', async () => {
    const fd = openSync('/dev/null', 'r');
    const first = openStore(() => [{ name: 'a', fd }], 100);
    assert.match(String(first.names('FDSTORE')[0]), /^drover-\d+$/);
    assert.equal(first.names('FDSTORE')[1], 'drover-list-100');
    assert.ok(first.told.filter((fields) => 'FDSTORE' in fields).every((fields) => fields['FDPOLL'] === 0));
    await first.store.dismiss('stopped');
    assert.equal(first.names('FDSTOREREMOVE').length, 2, 'nothing is left of a stopped daemon');
    closeSync(fd);
  });

  it('of a program that was replaced in place count on, though it was not told how far', () => {
    const fd = openSync('/dev/null', 'r');
    const before = openStore(() => [{ name: 'a', fd }], 100);
    const stored = before.names('FDSTORE').map(String).slice(0, 1);
    const after = openStore(() => [{ name: 'a', fd }], 200, stored);
    assert.deepEqual(after.names('FDSTORE'), ['drover-list-200'], 'what is stored is not stored again');
    closeSync(fd);
  });
});
