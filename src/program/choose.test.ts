import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, type Choice, type Places } from './choose.ts';
import type { Program } from './program.ts';
import type { Pending, ProgramRecord } from './records.ts';

const program = (version: string, more: Partial<Program> = {}): Program => {
  const root = `/home/versions/${version}`;
  return { version, root, node: `${root}/node`, options: [], main: `${root}/main.js`, isCopy: true, ...more };
};
const [one, two, three] = [program('1.0.0'), program('2.0.0'), program('3.0.0')];

const record = (last: Program, more: Partial<ProgramRecord> = {}): ProgramRecord => ({
  program: last,
  before: null,
  lastUpgrade: null,
  ...more,
});
const pending = (from: Program, to: Program): Pending => ({ id: 'x', from, to, atMs: 0, problem: null });

const chosen = (places: Partial<Places> & Pick<Places, 'own'>): string => {
  const choice: Choice = choose({
    record: null,
    pending: null,
    isUsable: () => true,
    isRecovery: false,
    ...places,
  });
  const over = choice.kind === 'run' ? '' : ` over ${choice.over.version}`;
  return `${choice.kind} ${choice.program.version}${over}`;
};

describe('the program that a daemon is started from', () => {
  it('is the installed one in a new home, and where it served last', () => {
    assert.equal(chosen({ own: two }), 'run 2.0.0');
    assert.equal(chosen({ own: two, record: record(two) }), 'run 2.0.0');
  });

  it('is tried where it is later, or the same version of another build, and refused where it is older', () => {
    assert.equal(chosen({ own: two, record: record(one) }), 'try 2.0.0 over 1.0.0');
    const rebuilt = program('1.0.0', { main: '/elsewhere/main.js' });
    assert.equal(chosen({ own: rebuilt, record: record(one) }), 'try 1.0.0 over 1.0.0');
    assert.equal(chosen({ own: one, record: record(two) }), 'refuse 1.0.0 over 2.0.0');
  });

  it('is the one that it was, where it comes back', () => {
    assert.equal(chosen({ own: two, record: record(one), isRecovery: true }), 'run 1.0.0');
    assert.equal(chosen({ own: one, record: record(two), isRecovery: true }), 'run 2.0.0');
  });

  it('is the one before, where an upgrade was begun and has not ended', () => {
    for (const isRecovery of [true, false]) {
      const places = { own: two, record: record(one), pending: pending(one, two), isRecovery };
      assert.equal(chosen(places), 'run 1.0.0');
    }
    const gone = { isUsable: ({ version }: Program) => version !== '1.0.0' };
    assert.equal(chosen({ own: two, record: record(one), pending: pending(one, two), ...gone }), 'run 2.0.0');
  });

  it('is not tried again by itself after it did not come up, but a later one is', () => {
    const lastUpgrade = {
      id: 'x',
      from: '1.0.0',
      to: '2.0.0',
      outcome: 'rolled-back' as const,
      reason: null,
      at: '',
      durationMs: 0,
      program: two.root,
    };
    assert.equal(chosen({ own: two, record: record(one, { lastUpgrade }) }), 'run 1.0.0');
    assert.equal(chosen({ own: three, record: record(one, { lastUpgrade }) }), 'try 3.0.0 over 1.0.0');
  });

  it('is the one before where a later one cannot be copied, and the installed one where nothing else is left', () => {
    const inPlace = program('2.0.0', { isCopy: false });
    assert.equal(chosen({ own: inPlace, record: record(one) }), 'run 1.0.0');
    const same = program('1.0.0', { isCopy: false, main: '/usr/lib/main.js' });
    assert.equal(chosen({ own: same, record: record(one) }), 'run 1.0.0');
    assert.equal(chosen({ own: two, record: record(one), isUsable: () => false }), 'run 2.0.0');
    assert.equal(chosen({ own: one, record: record(two), isUsable: () => false }), 'refuse 1.0.0 over 2.0.0');
  });
});
