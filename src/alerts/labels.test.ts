import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { commonOf, fingerprintOf, toLabelName, toTold } from './labels.ts';

const alert = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
  toTold({ labels, annotations, startsAt: '2026-01-01T00:00:00.000Z', endsAt: null });

describe('labels', () => {
  it('have names that every receiver takes, and none that was right is changed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (name) => {
        const made = toLabelName(name);
        assert.match(made, /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/);
        assert.equal(toLabelName(made), made);
      }),
    );
    assert.deepEqual(['app', '1st', 'a-b.c', '', 'ü'].map(toLabelName), ['app', '_1st', 'a_b_c', '_', '_']);
  });

  it('are bounded in number, length and characters, whatever an app makes of them', () => {
    const words = fc.dictionary(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 3_000 }), {
      maxKeys: 60,
    });
    fc.assert(
      fc.property(words, (labels) => {
        const told = alert(labels).labels;
        assert.ok(Object.keys(told).length <= 32);
        for (const value of Object.values(told)) {
          assert.ok(value.length > 0 && value.length <= 1_024 && value.isWellFormed());
          assert.doesNotMatch(value, /[^\t\n\P{Cc}]/u);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keep the first of two names that come to the same, and may be called __proto__', () => {
    const hostile = JSON.parse('{"a.b":"one","a-b":"two","__proto__":"three","empty":""}') as Record<string, string>;
    const { labels } = alert(hostile);
    assert.deepEqual(Object.entries(labels), [
      ['a_b', 'one'],
      ['__proto__', 'three'],
    ]);
    assert.equal(Object.getPrototypeOf(labels), Object.prototype);
  });

  it('make the same fingerprint in any order', () => {
    assert.equal(fingerprintOf({ a: '1', b: '2' }), fingerprintOf({ b: '2', a: '1' }));
    assert.notEqual(fingerprintOf({ a: '12', b: '' }), fingerprintOf({ a: '1', b: '2' }));
    // What Alertmanager 0.25 says of no labels: the offset of FNV-1a.
    assert.equal(fingerprintOf({}), 'cbf29ce484222325');
  });

  it('that alerts have in common are those with the same value in all', () => {
    assert.deepEqual(
      commonOf([
        { a: '1', b: '2' },
        { a: '1', b: '3', c: '4' },
      ]),
      { a: '1' },
    );
    assert.deepEqual(commonOf([{ a: '1' }, {}]), {});
    assert.deepEqual(commonOf([]), {});
  });
});
