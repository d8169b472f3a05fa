import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { assertCoverage, cellName } from '../../test/support/machine-cells.ts';
import {
  ALERT_TABLE,
  type AlertDetail,
  alertDocument,
  alertDueAt,
  type AlertEvent,
  type AlertPolicy,
  type AlertState,
  type AlertSubject,
  fingerprintOf,
  newAlert,
  stepAlert,
} from './alert.ts';

const SUBJECT: AlertSubject = { name: 'latency', severity: 'page', app: 'api', labels: { route: '/' } };
const POLICY: AlertPolicy = {
  forMs: 100,
  keepMs: 50,
  unheardMs: 1000,
  flapping: { withinMs: 500, keepMs: 200, maxKeepMs: 700 },
};
const DETAIL: AlertDetail = { summary: 'slow', description: 'very', evidence: [] };

/** One alert, to which things happen at times. */
class Life {
  state: AlertState;
  readonly told: string[] = [];

  constructor(policy: Partial<AlertPolicy> = {}) {
    this.state = newAlert(SUBJECT, { ...POLICY, ...policy }, 0);
  }

  at(at: number, type: AlertEvent['type']): this {
    const step = stepAlert(this.state, type === 'bad' ? { type, at, detail: DETAIL } : { type, at });
    this.state = step.state;
    for (const effect of step.effects) this.told.push(`${effect.type === 'fired' ? 'fired' : effect.because} ${at}`);
    return this;
  }
}

describe('an alert', () => {
  it('fires when it has been bad for long enough, and ends when it has been good for long enough', () => {
    const life = new Life().at(10, 'bad').at(60, 'bad').at(109, 'bad');
    assert.equal(life.state.phase, 'pending');
    life.at(110, 'bad').at(200, 'good').at(249, 'good').at(250, 'tick');
    assert.deepEqual(life.told, ['fired 110', 'good 250']);
    assert.equal(life.state.phase, 'inactive');
  });

  it('fires in its time, without another judgement', () => {
    const life = new Life().at(10, 'bad');
    assert.equal(alertDueAt(life.state), 110);
    assert.deepEqual(life.at(110, 'tick').told, ['fired 110']);
  });

  it('that is good again before it fires is nothing that anybody must know', () => {
    const life = new Life().at(10, 'bad').at(100, 'good').at(150, 'bad').at(200, 'bad').at(210, 'good');
    assert.deepEqual(life.told, []);
    assert.equal(alertDocument(life.state, 'f', []), null);
  });

  it('neither fires nor ends while nothing is known, until nothing was known for long', () => {
    const life = new Life().at(10, 'bad').at(50, 'unknown').at(500, 'tick').at(600, 'unknown');
    assert.deepEqual([life.state.phase, life.told], ['pending', []]);
    life.at(700, 'bad');
    assert.deepEqual(life.told, ['fired 700'], 'it is bad, and was at the beginning');
    life.at(800, 'unknown').at(1699, 'unknown');
    assert.equal(life.told.length, 1);
    assert.equal(alertDueAt(life.state), 1700);
    assert.deepEqual(life.at(1700, 'tick').told, ['fired 700', 'unheard 1700']);
    assert.equal(new Life().at(10, 'bad').at(20, 'unknown').at(1010, 'unknown').state.phase, 'inactive');
  });

  it('that is bad again while it eases goes on', () => {
    const life = new Life({ forMs: 0 }).at(0, 'bad').at(100, 'good').at(140, 'bad').at(500, 'bad').at(600, 'good');
    assert.deepEqual(life.told, ['fired 0']);
    assert.deepEqual(life.at(650, 'unknown').told, ['fired 0', 'good 650']);
  });

  it('that flaps is kept firing for longer each time, up to a bound', () => {
    const life = new Life({ forMs: 0, keepMs: 0 });
    const keeps: number[] = [];
    let at = 0;
    for (let turn = 0; turn < 6; turn++) {
      life.at(at, 'bad').at(at + 10, 'good');
      const due = alertDueAt(life.state);
      keeps.push(due === null ? 0 : due - at - 10);
      at = (due ?? at + 10) + 400;
      life.at(at - 400, 'tick');
    }
    assert.deepEqual(keeps, [0, 200, 400, 700, 700, 700]);
    life.at(at + 200, 'bad').at(at + 300, 'good');
    assert.equal(life.state.phase, 'inactive', 'after a long rest it is new trouble');
  });

  it('whose subject is gone is over at once', () => {
    assert.deepEqual(new Life({ forMs: 0 }).at(0, 'bad').at(5, 'gone').told, ['fired 0', 'gone 5']);
    assert.deepEqual(new Life().at(0, 'bad').at(5, 'gone').told, []);
  });

  it('is told as a document: pending, firing, and over', () => {
    const life = new Life().at(0, 'bad');
    const fingerprint = fingerprintOf(SUBJECT);
    const told = (): unknown => {
      const { id, status, startedAt, endsAt, summary } = alertDocument(life.state, fingerprint, [])!;
      return { id, status, startedAt, endsAt, summary };
    };
    const [id, startedAt, summary] = [`${fingerprint}-0`, '1970-01-01T00:00:00.000Z', 'slow'];
    assert.deepEqual(told(), { id, status: 'pending', startedAt, endsAt: null, summary });
    life.at(100, 'bad').at(1000, 'good');
    assert.deepEqual(told(), { id, status: 'firing', startedAt, endsAt: null, summary });
    life.at(1050, 'good');
    assert.deepEqual(told(), { id, status: 'resolved', startedAt, endsAt: '1970-01-01T00:00:01.050Z', summary });
  });

  it('is known by its name, severity, app, worker and labels, in whatever order', () => {
    const a = fingerprintOf({ ...SUBJECT, labels: { a: '1', b: '2' } });
    assert.match(a, /^[0-9a-f]{16}$/);
    assert.equal(a, fingerprintOf({ ...SUBJECT, labels: { b: '2', a: '1' } }));
    const others = [
      { ...SUBJECT, labels: { a: '12', b: '' } },
      { ...SUBJECT, labels: { a: '1' } },
      { ...SUBJECT, severity: 'ticket' as const, labels: { a: '1', b: '2' } },
      { ...SUBJECT, app: null, labels: { a: '1', b: '2' } },
      { ...SUBJECT, worker: 'api/1', labels: { a: '1', b: '2' } },
    ];
    assert.equal(new Set([a, ...others.map(fingerprintOf)]).size, 6);
  });

  it('over any history fires only after enough bad, ends only after enough good, and in turns', () => {
    const visited = new Set<string>();
    const events = fc.array(
      fc.record({
        type: fc.constantFrom(
          'bad' as const,
          'bad' as const,
          'bad' as const,
          'good' as const,
          'unknown' as const,
          'tick' as const,
          'gone' as const,
        ),
        waitMs: fc.constantFrom(1, 10, 40, 60, 300, 1200),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(events, (history) => {
        const life = new Life();
        let [at, firstBad, fired] = [0, null as number | null, false];
        for (const { type, waitMs } of history) {
          at += waitMs;
          const before = life.state;
          visited.add(cellName(before.phase, type));
          const length = life.told.length;
          life.at(at, type);
          if (type === 'bad' && before.phase === 'inactive') firstBad = at;
          const said = life.told.slice(length);
          assert.ok(said.length <= 1);
          if (said[0]?.startsWith('fired')) {
            assert.equal(fired, false);
            assert.ok(firstBad !== null && at - firstBad >= POLICY.forMs);
            assert.ok(type === 'bad' || before.isBad);
            fired = true;
          } else if (said.length === 1) {
            assert.equal(fired, true);
            if (said.join().startsWith('good')) {
              assert.equal(life.state.isBad, false);
              assert.ok(before.goodSince !== null && at - before.goodSince >= POLICY.keepMs);
            }
            if (said.join().startsWith('unheard')) assert.ok(at - before.heardAt >= POLICY.unheardMs);
            fired = false;
          }
          assert.equal(fired, life.state.phase === 'firing' || life.state.phase === 'easing');
          const due = alertDueAt(life.state);
          assert.ok(due === null || due > at, 'what is due has been done');
        }
      }),
      { numRuns: 3000 },
    );
    assertCoverage(ALERT_TABLE, visited);
  });
});
