/** What a home remembers of its programs, on a disk that is full at the moment at which a new one serves. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { settleProgram, type SettleParts } from '../../src/daemon/upgrade/settle.ts';
import { notePending, type Program, readPending, readRecord, writeRecord } from '../../src/program/index.ts';
import { noMounts, smallDisk } from '../support/file-systems.ts';

const programOf = (version: string): Program => ({
  version,
  root: `/srv/${version}`,
  main: `/srv/${version}/main.js`,
  node: `/srv/${version}/node`,
  options: [],
  isCopy: true,
});
const [OLD, NEW] = [programOf('1.0.0'), programOf('2.0.0')];
const ID = 'up-1';

const partsOf = (home: string): SettleParts & { readonly events: string[] } => {
  const events: string[] = [];
  return {
    home,
    own: NEW,
    store: {
      condition: { wentBack: null } as never,
      events: { append: ({ type }: { readonly type: string }) => void events.push(type) } as never,
    },
    clock: { wallMs: () => 5000, monotonicMs: () => 5000 },
    log: () => {},
    events,
  };
};

describe('an upgrade that comes up on a full disk', { skip: noMounts }, () => {
  it('is on record: the room for that was kept when there was some', async () => {
    await using disk = await smallDisk(1024 ** 2);
    writeRecord(disk.path, { program: OLD, before: null, lastUpgrade: null });
    notePending(disk.path, { id: ID, from: OLD, to: NEW, atMs: 1000, problem: null });
    disk.fill();
    const parts = partsOf(disk.path);
    assert.equal(settleProgram(parts)?.outcome, 'completed');
    assert.deepEqual(parts.events, ['daemon-upgraded']);
    const record = readRecord(disk.path);
    assert.deepEqual([record?.program, record?.before, record?.lastUpgrade?.id], [NEW, OLD, ID]);
    assert.equal(readPending(disk.path), null);
    assert.ok(!readdirSync(join(disk.path, 'versions')).some((name) => name.endsWith('.new')));
  });

  it('is not taken for one that did not come up where there was no such room', async () => {
    await using disk = await smallDisk(1024 ** 2);
    writeRecord(disk.path, { program: OLD, before: null, lastUpgrade: null });
    notePending(disk.path, { id: ID, from: OLD, to: NEW, atMs: 1000, problem: null });
    disk.fill();
    for (const name of readdirSync(join(disk.path, 'versions')).filter((each) => each.endsWith('.spare')))
      rmSync(join(disk.path, 'versions', name));
    disk.fill();
    assert.equal(settleProgram(partsOf(disk.path))?.outcome, 'completed');
    assert.deepEqual(readRecord(disk.path)?.program, OLD, 'it could not be noted');
    assert.ok(!existsSync(join(disk.path, 'versions', 'upgrade.json')));
    disk.empty();
    assert.equal(settleProgram(partsOf(disk.path))?.outcome, undefined);
    assert.deepEqual(readRecord(disk.path)?.program, NEW);
  });
});
