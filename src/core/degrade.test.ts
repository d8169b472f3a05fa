import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DEGRADE_POLICY, newDegrade, stepDegrade } from './degrade.ts';
import type { DegradeFacts, DegradeState } from './degrade.ts';

const FINE: DegradeFacts = { isOverloaded: false, down: [], isDiskFull: false };
const DATABASE: DegradeFacts = { ...FINE, down: ['database'] };
const BUSY: DegradeFacts = { ...FINE, isOverloaded: true };

class App {
  state: DegradeState = newDegrade();
  at = 0;
  readonly levels: string[] = [];
  see(facts: DegradeFacts, seconds: number): this {
    for (let second = 0; second < seconds; second++) {
      this.at += 1000;
      const { state, effects } = stepDegrade(this.state, facts, this.at);
      this.state = state;
      this.levels.push(...effects.map(({ level }) => level));
    }
    return this;
  }
}

describe('what an app is to do without', () => {
  it('is what a dependency gave, at once, and until it has been back for half a minute', () => {
    const app = new App().see(DATABASE, 1);
    assert.deepEqual([app.state.level, app.state.reason], ['cache-only', 'database is down']);
    app.see(FINE, 29);
    assert.equal(app.state.level, 'cache-only');
    app.see(DATABASE, 1).see(FINE, 29);
    assert.deepEqual(app.levels, ['cache-only']);
    app.see(FINE, 1);
    assert.deepEqual(app.levels, ['cache-only', 'normal']);
    assert.equal(app.state.reason, null);
  });

  it('is some of the load, when it has been too much for a while', () => {
    const app = new App().see(BUSY, 4).see(FINE, 1).see(BUSY, 4);
    assert.equal(app.state.level, 'normal');
    assert.equal(app.see(BUSY, 2).state.level, 'shed');
  });

  it('is the most that is asked for, and goes back to what is still asked for', () => {
    const app = new App()
      .see(BUSY, 6)
      .see({ ...BUSY, down: ['a', 'b'] }, 1)
      .see({ ...BUSY, isDiskFull: true }, 1);
    app.see(BUSY, 31);
    assert.deepEqual(app.levels, ['shed', 'cache-only', 'read-only', 'shed']);
  });

  it('does not change more often than once in the time of calm without having been raised, whatever comes', () => {
    const facts = fc.record({
      isOverloaded: fc.boolean(),
      down: fc.constantFrom([], ['database']),
      isDiskFull: fc.constantFrom(false, false, false, true),
    });
    const rank = { normal: 0, shed: 1, 'cache-only': 2, 'read-only': 3 } as Record<string, number>;
    fc.assert(
      fc.property(fc.array(fc.tuple(facts, fc.integer({ min: 1, max: 40 })), { maxLength: 30 }), (history) => {
        const app = new App();
        let level = 0;
        let changedAt = Number.NEGATIVE_INFINITY;
        for (const [seen, seconds] of history) {
          for (let second = 0; second < seconds; second++) {
            const before = app.levels.length;
            app.see(seen, 1);
            if (seen.isDiskFull) assert.equal(app.state.level, 'read-only');
            if (seen.down.length > 0) assert.ok((rank[app.state.level] ?? 0) >= 2);
            for (const next of app.levels.slice(before)) {
              if ((rank[next] ?? 0) < level) assert.ok(app.at - changedAt >= DEGRADE_POLICY.calmMs);
              level = rank[next] ?? 0;
              changedAt = app.at;
            }
          }
        }
        assert.equal(app.see(FINE, 31).state.level, 'normal');
      }),
    );
  });
});
