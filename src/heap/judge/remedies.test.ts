/** Sketches of remedies can be pasted: they are code, in the names of the program. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAst } from 'rolldown/parseAst';
import { findRemedy, remedyNames } from './remedies.ts';
import { type Holder, LEAK_PATTERNS } from './verdict.ts';

const holders: readonly Holder[] = [
  { kind: 'module-variable', what: 'Map', name: 'sessions', owner: '' },
  { kind: 'property', what: 'Array', name: '#jobs', owner: 'RetryQueue' },
  { kind: 'captured-variable', what: 'Set', name: 'state.seen', owner: 'makeServer' },
  { kind: 'property', what: 'Object', name: '<symbol kept>', owner: 'Object' },
  { kind: 'event', what: 'EventEmitter', name: 'price-change', owner: 'bus' },
  { kind: 'runtime', what: 'active timers', name: '', owner: '' },
];

describe('remedies', () => {
  for (const pattern of LEAK_PATTERNS) {
    it(`for ${pattern} have words, and code that can stand in a method`, () => {
      for (const holder of holders) {
        const { text, code } = findRemedy(pattern, remedyNames(holder, 'Session', 'onData'));
        assert.match(text, /^[A-Z`].*\.$/s);
        parseAst(`class Sketch { #jobs = []; async *run() { for (;;) { ${code}\n } } }`);
        assert.ok(!code.includes(' #jobs'), code);
      }
    });
  }
});
