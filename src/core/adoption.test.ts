import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { adoptionHistories, playAdoptionHistory } from '../../test/support/adoption-world.ts';
import { assertCoverage } from '../../test/support/machine-cells.ts';
import { ADOPTION_TABLE, judgeRecord } from './adoption.ts';
import type { ObservedProcess, WorkerRecord } from './adoption.ts';

const record: WorkerRecord = {
  app: 'shop',
  slot: 1,
  generation: 4,
  pid: 321,
  startTimeTicks: 1000,
  bootId: 'a',
  wasReady: true,
  hasAgent: true,
};
const same: ObservedProcess = {
  isAlive: true,
  isZombie: false,
  startTimeTicks: 1000,
  bootId: 'a',
  hasSpawnMark: true,
  isElsewhere: false,
  exit: null,
};

describe('the judgement of a recorded worker', () => {
  it('adopts only the very process that was recorded', () => {
    assert.equal(judgeRecord(record, same), 'adopt');
    assert.equal(judgeRecord(record, { ...same, bootId: 'b' }), 'rebooted');
    assert.equal(judgeRecord(record, { ...same, isAlive: false }), 'lost');
    assert.equal(judgeRecord(record, { ...same, isZombie: true }), 'lost');
    assert.equal(judgeRecord(record, { ...same, startTimeTicks: 1001 }), 'foreign');
    assert.equal(judgeRecord(record, { ...same, startTimeTicks: null }), 'foreign');
    assert.equal(judgeRecord(record, { ...same, hasSpawnMark: false }), 'foreign');
    assert.equal(judgeRecord(record, { ...same, isElsewhere: true }), 'elsewhere');
  });

  it('does without the spawn mark where the environment cannot be read', () => {
    assert.equal(judgeRecord(record, { ...same, hasSpawnMark: null }), 'adopt');
  });
});

describe('an adoption machine', () => {
  it('holds its promises over random histories, and every cell that can happen happens', () => {
    const visited = new Set<string>();
    const property = fc.property(adoptionHistories, (history) => {
      playAdoptionHistory(history, ADOPTION_TABLE, visited);
    });
    fc.assert(property, { numRuns: 5000, seed: 1 });
    assertCoverage(ADOPTION_TABLE, visited);
  });

  it('holds its promises over histories that nobody has seen before', () => {
    fc.assert(
      fc.property(adoptionHistories, (history) => void playAdoptionHistory(history)),
      { numRuns: 1000 },
    );
  });
});
