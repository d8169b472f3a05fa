import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { healHistories, playHealHistory } from '../../test/support/healing-world.ts';
import { assertCoverage } from '../../test/support/machine-cells.ts';
import { HEAL_POLICY, HEALING_TABLE, healPhaseOf, keepSlots, newHealing, stepHealing } from './healing.ts';
import type { HealEffect, HealEvent, HealPolicy, HealSituation, HealState } from './healing-types.ts';
import type { Trouble, TroubleKind } from './worker-health.ts';

const POLICY: HealPolicy = {
  ...HEAL_POLICY,
  enabled: true,
  recoverTimeoutMs: 5000,
  maxUnavailable: { share: 0.25 },
  perHour: 10,
  quarantineAfter: 3,
};

/** An app of four workers, with a clock that is moved by hand. */
class App {
  state: HealState = newHealing();
  at = 1_000_000;
  effects: readonly HealEffect[] = [];
  situation: HealSituation = {
    slots: 4,
    unready: [],
    troubles: [],
    operation: null,
    daemonUpMs: 3_600_000,
    sinceStallMs: null,
    canRecover: false,
  };
  policy: HealPolicy = POLICY;
  private generation = 1;

  send(event: Record<string, unknown> & { readonly type: HealEvent['type'] }): this {
    const slot = (event['slot'] as number | undefined) ?? 0;
    const { turn } = this.state.slots[slot] ?? { turn: 0 };
    const full = { at: this.at, slot, turn, generation: this.generation, ...event } as HealEvent & { turn?: number };
    if (full.type === 'unwell' || full.type === 'well' || full.type === 'renewed' || full.type === 'release')
      delete full.turn;
    const { state, effects } = stepHealing(this.state, full, this.situation, this.policy);
    this.state = state;
    this.effects = effects;
    return this;
  }

  unwell(kind: TroubleKind, change: Partial<Trouble> & { slot?: number } = {}): this {
    const { slot = 0, ...more } = change;
    const trouble = { key: kind, kind, reason: `${kind}!`, isMissingData: false, ...more };
    return this.send({ type: 'unwell', slot, trouble, evidence: { seen: 1 } });
  }

  replaced(): this {
    this.generation += 1;
    return this.send({ type: 'replaced', generation: this.generation });
  }

  pass(ms: number): this {
    this.at += ms;
    return this;
  }

  get phase(): string {
    return healPhaseOf(this.state, 0);
  }
  get types(): string[] {
    return this.effects.map((effect) => (effect.type === 'report' ? effect.event : effect.type));
  }
  get told(): string | undefined {
    const report = this.effects.find((effect) => effect.type === 'report');
    return report?.type === 'report' ? report.reason : undefined;
  }
}

describe('the self-healing ladder', () => {
  it('replaces a worker that hangs, start first, and says why', () => {
    const app = new App().unwell('hang');
    assert.deepEqual(app.types, ['worker-recovering', 'replace']);
    assert.match(app.told!, /hang!; it is replaced, start first/);
    assert.equal(app.replaced().phase, 'proving');
    assert.equal(app.pass(300_000).send({ type: 'timer', timer: 'prove' }).phase, 'well');
  });

  it('asks the app’s hook first, and replaces when that fails, takes too long or does not help', () => {
    const begin = (): App => {
      const app = new App();
      app.situation = { ...app.situation, canRecover: true };
      return app.unwell('check');
    };
    assert.deepEqual(begin().types, ['recover', 'arm', 'worker-recovering']);
    const failed = begin().send({ type: 'recovered', outcome: 'failed', detail: 'no luck' });
    assert.ok(failed.types.includes('replace'));
    assert.match(failed.told!, /check! \(its recover hook failed: no luck\); it is replaced/);
    const late = begin().send({ type: 'timer', timer: 'recover' });
    assert.match(late.told!, /did not end within 5000 ms/);
    const useless = begin().send({ type: 'recovered', outcome: 'recovered', detail: null });
    assert.equal(useless.phase, 'proving');
    assert.ok(useless.pass(1000).unwell('check').types.includes('replace'));
    const helped = begin().send({ type: 'recovered', outcome: 'recovered', detail: null }).send({ type: 'well' });
    assert.equal(helped.send({ type: 'timer', timer: 'prove' }).phase, 'well');
  });

  it('does not ask a hook of a loop that hangs', () => {
    const app = new App();
    app.situation = { ...app.situation, canRecover: true };
    assert.deepEqual(app.unwell('hang').types, ['worker-recovering', 'replace']);
  });

  it('waits longer and longer when that does not help, then leaves the slot alone with the evidence', () => {
    const app = new App();
    const waits: number[] = [];
    for (let time = 1; time <= 3; time++) {
      app.unwell('hang');
      assert.ok(app.types.includes('replace'), `replacement ${time}`);
      app.replaced().pass(10_000).unwell('hang');
      const armed = app.effects.find((effect) => effect.type === 'arm');
      if (armed?.type === 'arm') waits.push(armed.afterMs);
      if (time < 3) app.send({ type: 'timer', timer: 'backoff' });
    }
    assert.deepEqual(waits, [30_000, 60_000]);
    assert.equal(app.phase, 'quarantined');
    const report = app.effects.find((effect) => effect.type === 'report');
    assert.ok(report?.type === 'report' && report.event === 'worker-quarantined');
    assert.match(report.reason, /3 replacements in a row did not help/);
    assert.deepEqual(
      report.attempts.map(({ outcome }) => outcome),
      Array(3).fill('did not help: hang!'),
    );
    assert.deepEqual(report.evidence, { seen: 1 });
    assert.deepEqual(app.pass(3_600_000).unwell('hang').types, [], 'and nothing more is done');
    assert.equal(app.send({ type: 'release' }).phase, 'well');
    assert.ok(app.unwell('hang').types.includes('replace'));
  });

  it('counts a successor that never got ready as one that did not help', () => {
    const app = new App().unwell('hang').send({ type: 'replace-failed', reason: 'not ready after 30 s' });
    assert.equal(app.phase, 'backoff');
    assert.equal(app.state.slots[0]?.attempts[0]?.outcome, 'no successor: not ready after 30 s');
  });

  it('forgets failures when a worker has held out, not when it looks well for a moment', () => {
    const app = new App().unwell('hang').replaced().unwell('hang').send({ type: 'timer', timer: 'backoff' });
    app.send({ type: 'well' });
    assert.equal(app.phase, 'proving');
    assert.equal(app.state.slots[0]?.failures, 1);
    app.send({ type: 'timer', timer: 'prove' });
    assert.equal(app.state.slots[0]?.failures, 0);
  });

  it('tells a recycling from a recovery, and lets a worker that leaks again prove itself for a minute only', () => {
    const app = new App().unwell('memory');
    assert.deepEqual(app.types, ['worker-recycled', 'replace']);
    app.replaced();
    const armed = app.effects.find((effect) => effect.type === 'arm');
    assert.equal(armed?.type === 'arm' ? armed.afterMs : null, 60_000);
  });

  it('is deaf to late answers and to what an earlier worker had', () => {
    const app = new App().unwell('hang');
    const turn = app.state.slots[0]?.turn;
    app.replaced();
    assert.deepEqual(app.send({ type: 'replaced', turn, generation: 9 }).types, []);
    assert.deepEqual(app.send({ type: 'unwell', generation: 1, trouble: {}, evidence: {} }).types, []);
    assert.equal(app.phase, 'proving');
  });

  it('begins anew with a worker that came for another reason', () => {
    const app = new App();
    app.situation = { ...app.situation, operation: 'a reload' };
    assert.equal(app.unwell('hang').phase, 'waiting');
    assert.equal(app.send({ type: 'renewed', generation: 5 }).phase, 'well');
  });

  it('forgets slots that are no more', () => {
    const app = new App().unwell('hang').unwell('hang', { slot: 1 });
    assert.deepEqual(Object.keys(keepSlots(app.state, [1, 2]).slots), ['1']);
  });
});

describe('the limits of the ladder', () => {
  const held = (
    change: Partial<HealSituation>,
    kind: TroubleKind = 'liveness',
    policy: Partial<HealPolicy> = {},
  ): App => {
    const app = new App();
    app.situation = { ...app.situation, ...change };
    app.policy = { ...POLICY, ...policy };
    app.unwell(kind).pass(60_000).unwell(kind);
    return app;
  };
  const isHeld = (app: App): boolean => app.phase === 'waiting';

  it('are told once, and when they are over it is acted upon', () => {
    const app = new App();
    app.situation = { ...app.situation, operation: 'a reload (op-7)' };
    assert.deepEqual(app.unwell('hang').types, ['heal-held-back']);
    assert.match(app.told!, /hang!; nothing is done: a reload \(op-7\) is under way/);
    assert.deepEqual(app.unwell('hang').types, []);
    app.situation = { ...app.situation, operation: null };
    assert.ok(app.unwell('hang').types.includes('replace'));
  });

  it('are: switched off, young or late daemon, missing data', () => {
    assert.ok(isHeld(held({}, 'hang', { enabled: false })));
    assert.ok(isHeld(held({ daemonUpMs: 29_999 }, 'hang')));
    assert.ok(!isHeld(held({ daemonUpMs: 30_000 }, 'hang')));
    assert.ok(isHeld(held({ sinceStallMs: 29_999 }, 'hang')));
    assert.ok(!isHeld(held({ sinceStallMs: 30_000 }, 'hang')));
    assert.ok(isHeld(new App().unwell('hang', { isMissingData: true })));
  });

  it('are: most workers have the same, unless each is helped by being replaced', () => {
    const all = [0, 1, 2].map((slot) => ({ slot, key: 'liveness' }));
    const app = held({ troubles: all });
    assert.ok(isHeld(app));
    assert.ok(!isHeld(held({ troubles: all.slice(0, 2) })), 'half is not most');
    const hangs = all.map(({ slot }) => ({ slot, key: 'hang' }));
    assert.ok(!isHeld(held({ troubles: hangs }, 'hang')));
    assert.ok(!isHeld(held({ slots: 1, troubles: [{ slot: 0, key: 'liveness' }] })), 'one alone cannot tell');
  });

  it('are: most workers had the same a moment ago, and this one is the last to get well', () => {
    const app = held({ troubles: [0, 1, 2].map((slot) => ({ slot, key: 'liveness' })) });
    app.situation = { ...app.situation, troubles: [{ slot: 0, key: 'liveness' }] };
    assert.deepEqual(app.pass(59_999).unwell('liveness').types, [], 'which is not worth telling');
    assert.ok(app.pass(1).unwell('liveness').types.includes('replace'));
    const other = held({ troubles: [0, 1, 2].map((slot) => ({ slot, key: 'liveness' })) });
    other.situation = { ...other.situation, troubles: [] };
    assert.ok(other.pass(1000).unwell('hang').types.includes('replace'), 'what it has for itself is its own');
  });

  it('are: another one is being replaced, where two may be down', () => {
    const app = new App();
    app.policy = { ...POLICY, maxUnavailable: { workers: 2 } };
    assert.ok(app.unwell('hang', { slot: 1 }).types.includes('replace'));
    assert.deepEqual(app.unwell('hang').types, [], 'which is not worth telling');
    app.send({ type: 'replaced', slot: 1, generation: 2 });
    assert.ok(app.unwell('hang').types.includes('replace'));
  });

  it('are: others may show the same within a moment', () => {
    const app = new App().unwell('liveness');
    assert.equal(app.phase, 'waiting');
    assert.deepEqual(app.types, [], 'which is not worth telling');
    assert.ok(app.pass(10_000).unwell('liveness').types.includes('replace'));
    const alone = new App();
    alone.situation = { ...alone.situation, slots: 1 };
    assert.ok(alone.unwell('liveness').types.includes('replace'));
  });

  it('are: maxUnavailable and perHour', () => {
    assert.ok(isHeld(held({ unready: [2] })));
    assert.ok(!isHeld(held({ unready: [0] })), 'the worker itself takes nothing more away');
    assert.ok(!isHeld(held({ unready: [2] }, 'hang')), 'nor does one that hangs');
    const busy = new App().unwell('hang', { slot: 1 }).unwell('hang');
    assert.ok(isHeld(busy), 'one of four at a time');
    const app = new App();
    app.policy = { ...POLICY, perHour: 2, quarantineAfter: 100 };
    for (let time = 0; time < 2; time++)
      app.unwell('hang').replaced().unwell('hang').send({ type: 'timer', timer: 'backoff' });
    assert.match(app.unwell('hang').told!, /2 workers were replaced within the hour/);
    assert.ok(app.pass(3_600_000).unwell('hang').types.includes('replace'));
  });

  it('are not: perHour for who is about to run out of memory, nor do these count', () => {
    const app = new App();
    app.policy = { ...POLICY, perHour: 1, quarantineAfter: 100 };
    for (let time = 0; time < 3; time++) {
      assert.ok(app.unwell('memory').types.includes('replace'), `time ${time}`);
      app.replaced().send({ type: 'well' }).pass(120_000);
      app.send({ type: 'timer', timer: 'prove' });
    }
    assert.ok(app.unwell('hang').types.includes('replace'), 'the first that counts');
  });

  it('are: it has not helped in other slots either', () => {
    const app = new App();
    for (const slot of [1, 2, 3]) {
      app.unwell('hang', { slot }).send({ type: 'replace-failed', slot, reason: 'the port is taken' });
    }
    assert.match(app.unwell('hang').told!, /has not helped 3 times within the hour, so the cause is outside/);
    assert.ok(app.send({ type: 'release' }).unwell('hang').types.includes('replace'));
  });
});

describe('the ladder over random histories', () => {
  it('holds its promises, and every cell that can happen happens', () => {
    const visited = new Set<string>();
    const property = fc.property(healHistories, (history) => {
      playHealHistory(history, HEALING_TABLE, visited);
    });
    fc.assert(property, { numRuns: 700, seed: 1 });
    assertCoverage(HEALING_TABLE, visited);
  });

  it('holds its promises over histories that nobody has seen before', () => {
    fc.assert(
      fc.property(healHistories, (history) => void playHealHistory(history)),
      { numRuns: 150 },
    );
  });
});
