import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExitCause } from '../core/index.ts';
import { accountForExit } from './exit-account.ts';
import { OomKills } from './oom-kills.ts';

/** Of a machine whose kernel has killed that many processes of the group, at that time. */
class Kernel {
  kills: number | null = 0;
  nowMs = 0;
  readonly oomKills = (): number | null => this.kills;
  readonly monotonicMs = (): number => this.nowMs;
}

const open = (kills: number | null = 0): { kernel: Kernel; oomKills: OomKills } => {
  const kernel = new Kernel();
  kernel.kills = kills;
  return { kernel, oomKills: new OomKills(kernel, kernel) };
};

const causeOf = (oomKills: OomKills, code: number | null, signal: string | null, exitCode?: number): ExitCause => {
  const exitWord = exitCode === undefined ? null : { code: exitCode, reason: null };
  return accountForExit(oomKills, { exitWord, portTaken: null }, code, signal).cause;
};
const killed = (oomKills: OomKills): ExitCause => causeOf(oomKills, null, 'SIGKILL');

describe('the kernel’s count of kills for want of memory', () => {
  it('explains an end by SIGKILL, and one of which nobody knows anything', () => {
    const { kernel, oomKills } = open(7);
    assert.equal(killed(oomKills), 'signal', 'what was before the daemon explains nothing');
    kernel.kills = 8;
    assert.equal(killed(oomKills), 'oom');
    kernel.kills = 9;
    assert.equal(causeOf(oomKills, null, null), 'oom');
  });

  it('explains as many ends as there were kills: two at once both, a third not', () => {
    const { kernel, oomKills } = open();
    kernel.kills = 2;
    assert.deepEqual(
      [1, 2, 3].map(() => killed(oomKills)),
      ['oom', 'oom', 'signal'],
    );
  });

  it('explains no end that comes long after the kill: it was of something else in the group', () => {
    const { kernel, oomKills } = open();
    kernel.kills = 1;
    kernel.nowMs = 5_000;
    oomKills.look();
    kernel.nowMs = 9_000;
    assert.equal(killed(oomKills), 'signal');
    kernel.kills = 2;
    assert.equal(killed(oomKills), 'oom');
  });

  it('explains an end that is being handled while it is looked at', () => {
    const { kernel, oomKills } = open();
    kernel.nowMs = 5_000;
    oomKills.look();
    kernel.nowMs = 9_900;
    kernel.kills = 2;
    kernel.nowMs = 10_000;
    oomKills.look();
    kernel.nowMs = 10_050;
    assert.equal(killed(oomKills), 'oom');
    // Nor does a look that follows at once.
    oomKills.look();
    kernel.nowMs = 10_150;
    assert.equal(killed(oomKills), 'oom');
    assert.equal(killed(oomKills), 'signal');
  });

  it('is not used up by an end that it does not explain', () => {
    const { kernel, oomKills } = open();
    kernel.kills = 1;
    assert.equal(causeOf(oomKills, 1, null), 'code');
    assert.equal(causeOf(oomKills, null, 'SIGTERM'), 'signal');
    assert.equal(causeOf(oomKills, null, null, 3), 'code', 'an adopted worker that said how it ends');
    assert.equal(killed(oomKills), 'oom');
  });

  it('belongs to one daemon: what another one has seen changes nothing', () => {
    const { kernel, oomKills } = open();
    kernel.kills = 1;
    const other = new OomKills(kernel, kernel);
    assert.equal(killed(other), 'signal');
    assert.equal(killed(oomKills), 'oom');
  });

  it('explains nothing where the kernel does not tell', () => {
    const { kernel, oomKills } = open(null);
    assert.equal(killed(oomKills), 'signal');
    kernel.nowMs = 5_000;
    oomKills.look();
    assert.equal(killed(oomKills), 'signal');
  });
});
