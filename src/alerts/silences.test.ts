import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SilenceDocument } from '../protocol/index.ts';
import type { DeliveryStore } from './edges.ts';
import { openSilences, parseMatcher, type NewSilence } from './silences.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const HOUR_MS = 3_600_000;
const iso = (afterMs: number): string => new Date(NOW + afterMs).toISOString();
const asked = (fields: Partial<NewSilence> = {}): NewSilence => ({
  matchers: ['app=shop'],
  startsAt: null,
  endsAt: iso(HOUR_MS),
  everyMs: null,
  comment: 'deploying',
  createdBy: 'ann',
  ...fields,
});

const open = (earlier: readonly SilenceDocument[] = []) => {
  const puts: SilenceDocument[] = [];
  const store = {
    alerts: { silences: { put: (silence: SilenceDocument) => void puts.push(silence), list: () => earlier } },
  } as unknown as DeliveryStore;
  return { silences: openSilences(store), puts };
};

describe('silences', () => {
  it('are completed, written down and listed', () => {
    const { silences, puts } = open();
    const silence = silences.add(asked(), 's1', NOW);
    assert.deepEqual(silence, {
      id: 's1',
      matchers: [{ label: 'app', kind: 'is', value: 'shop' }],
      startsAt: iso(0),
      endsAt: iso(HOUR_MS),
      everyMs: null,
      comment: 'deploying',
      createdBy: 'ann',
    });
    assert.deepEqual([puts, silences.list()], [[silence], [silence]]);
  });

  it('have matchers that say what they are, or are refused', () => {
    assert.deepEqual(parseMatcher(' name = error-* '), { label: 'name', kind: 'glob', value: 'error-*' });
    assert.deepEqual(parseMatcher('severity!=page'), { label: 'severity', kind: 'is-not', value: 'page' });
    assert.deepEqual(parseMatcher('worker='), { label: 'worker', kind: 'is', value: '' });
    assert.deepEqual(parseMatcher('app=a=b'), { label: 'app', kind: 'is', value: 'a=b' });
    for (const text of ['', 'shop', '=shop', 'app!=s*', '!=x', 'app~x'])
      assert.throws(() => parseMatcher(text), { code: 'DROVER_SILENCE_INVALID' }, text);
  });

  it('that make no sense are refused, and nothing is written', () => {
    const { silences, puts } = open();
    for (const wrong of [
      { matchers: [] },
      { matchers: Array.from({ length: 21 }, () => 'app=x') },
      { endsAt: 'tomorrow' },
      { endsAt: iso(-1) },
      { startsAt: iso(2 * HOUR_MS) },
      { everyMs: HOUR_MS / 2 },
    ])
      assert.throws(
        () => silences.add(asked(wrong), 's', NOW),
        { code: 'DROVER_SILENCE_INVALID' },
        JSON.stringify(wrong),
      );
    assert.deepEqual(puts, []);
  });

  it('are refused with advice about what is wrong', () => {
    const { silences } = open();
    const adviceOn = (wrong: Parameters<typeof asked>[0]): string => {
      try {
        silences.add(asked(wrong), 's', NOW);
      } catch (error) {
        return String((error as { hint?: string }).hint);
      }
      return 'accepted';
    };
    assert.match(adviceOn({ everyMs: HOUR_MS / 2 }), /`--for 2h --every 1d`/);
    assert.match(adviceOn({ endsAt: iso(-1) }), /--for/);
    assert.match(adviceOn({ endsAt: 'tomorrow' }), /ISO 8601/);
    assert.match(adviceOn({ matchers: ['app~x'] }), /app=shop/);
  });

  it('are bounded, and those that are over do not count', () => {
    const { silences } = open();
    for (let index = 0; index < 500; index += 1) silences.add(asked(), `s${index}`, NOW);
    assert.throws(() => silences.add(asked(), 'more', NOW), { code: 'DROVER_SILENCE_INVALID' });
    silences.expire('s7', NOW);
    silences.add(asked(), 'more', NOW + 1);
  });

  it('end when they are told to: at once, before their start, and for good', () => {
    const { silences } = open();
    silences.add(asked({ startsAt: iso(-HOUR_MS) }), 'now', NOW);
    silences.add(asked({ startsAt: iso(HOUR_MS), endsAt: iso(2 * HOUR_MS) }), 'later', NOW);
    silences.add(asked({ everyMs: 24 * HOUR_MS }), 'daily', NOW);
    for (const id of ['now', 'later', 'daily']) {
      const { startsAt, endsAt, everyMs } = silences.expire(id, NOW + 5);
      assert.deepEqual([endsAt, everyMs], [iso(5), null]);
      assert.ok(startsAt <= endsAt);
    }
    assert.equal(silences.expire('now', NOW + 99).endsAt, iso(5));
    assert.throws(() => silences.expire('none', NOW), { code: 'DROVER_SILENCE_UNKNOWN' });
  });

  it('that ended a week ago are forgotten with the next', () => {
    const { silences } = open();
    silences.add(asked(), 's1', NOW);
    silences.add(asked({ everyMs: 24 * HOUR_MS }), 'daily', NOW);
    silences.add(asked({ endsAt: iso(9 * 24 * HOUR_MS) }), 's2', NOW + 8 * 24 * HOUR_MS);
    assert.deepEqual(
      silences.list().map(({ id }) => id),
      ['daily', 's2'],
    );
  });
});
