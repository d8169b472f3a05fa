import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as check, boolean, constantFrom, property, type Arbitrary } from 'fast-check';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read as the recommendation has it', () => {
    const valid = { traceId: TRACE, spanId: SPAN, isSampled: true };
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), valid);
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-03`), valid);
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { ...valid, isSampled: false });
    // A later version may have more to say.
    assert.deepEqual(parseTraceparent(`01-${TRACE}-${SPAN}-01`), valid);
    assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`), valid);
  });

  it('is none where anything is wrong', () => {
    for (const wrong of [
      undefined,
      ['00'],
      '',
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE}-${SPAN}-01-`,
      `cc-${TRACE}-${SPAN}-01.more`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-0`,
      ` 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\n`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ]) {
      assert.equal(parseTraceparent(wrong), null, String(wrong));
    }
  });

  it('is read as it was written', () => {
    const hex = (digits: number): Arbitrary<string> =>
      array(constantFrom(...'0123456789abcdef'.split('')), { minLength: digits, maxLength: digits })
        .map((all) => all.join(''))
        .filter((text) => /[^0]/.test(text));
    check(
      property(hex(32), hex(16), boolean(), (traceId, spanId, isSampled) => {
        const context = { traceId, spanId, isSampled };
        assert.deepEqual(parseTraceparent(formatTraceparent(context)), context);
      }),
    );
  });
});
