import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AlertDocument, AlertMatcher, SilenceDocument } from '../protocol/index.ts';
import { isSilenceActive, isSilenceOver, matches, muteAlerts, silenceChangesAt } from './silence.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const time = (at: number): string => new Date(at).toISOString();

const alert = (change: Partial<AlertDocument> = {}): AlertDocument => ({
  id: 'a-1',
  fingerprint: 'a',
  name: 'error-budget-burn',
  app: 'api',
  severity: 'ticket',
  status: 'firing',
  labels: { objective: 'availability' },
  summary: '',
  description: '',
  evidence: [],
  startedAt: time(0),
  endsAt: null,
  mutedBy: [],
  ...change,
});

const silence = (change: Partial<SilenceDocument> = {}): SilenceDocument => ({
  id: 's',
  matchers: [{ label: 'app', kind: 'is', value: 'api' }],
  startsAt: time(10 * HOUR),
  endsAt: time(12 * HOUR),
  everyMs: null,
  comment: '',
  createdBy: null,
  ...change,
});

describe('a matcher', () => {
  const is = (label: string, value: string, kind: AlertMatcher['kind'] = 'is'): boolean =>
    matches({ label, kind, value }, alert({ worker: 'api/3' }));

  it('looks at app, worker, name, severity and labels', () => {
    assert.ok(is('app', 'api') && is('worker', 'api/3') && is('name', 'error-budget-burn') && is('severity', 'ticket'));
    assert.ok(is('objective', 'availability') && !is('objective', 'latency') && is('other', '') && !is('other', 'x'));
    assert.ok(is('app', 'shop', 'is-not') && !is('app', 'api', 'is-not'));
    assert.ok(!matches({ label: 'app', kind: 'is', value: 'null' }, alert({ app: null })));
  });

  it('knows one sign: * for anything', () => {
    assert.ok(is('name', 'error-*', 'glob') && is('name', '*burn', 'glob') && is('name', '*budget*', 'glob'));
    assert.ok(is('name', 'e*-*-burn', 'glob') && is('name', '*', 'glob'));
    assert.ok(!is('name', 'error', 'glob') && !is('name', '*budge', 'glob') && !is('name', 'burn*', 'glob'));
    assert.ok(!is('name', 'error-budget*budget-burn', 'glob'), 'no letter is used twice');
  });

  it('finds what a regular expression finds', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(letters, letters, (glob, text) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(text.replaceAll('*', 'b'));
        const found = matches({ label: 'name', kind: 'glob', value: glob }, alert({ name: text.replaceAll('*', 'b') }));
        assert.equal(found, expected);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a silence', () => {
  it('lasts from its start to before its end', () => {
    const active = [10 * HOUR - 1, 10 * HOUR, 12 * HOUR - 1, 12 * HOUR].map((at) => isSilenceActive(silence(), at));
    assert.deepEqual(active, [false, true, true, false]);
    assert.deepEqual(
      [0, 10 * HOUR, 12 * HOUR].map((at) => silenceChangesAt(silence(), at)),
      [10 * HOUR, 12 * HOUR, null],
    );
    assert.deepEqual([isSilenceOver(silence(), 11 * HOUR), isSilenceOver(silence(), 12 * HOUR)], [false, true]);
  });

  it('of a maintenance window comes again', () => {
    const daily = silence({ everyMs: DAY });
    for (const day of [0, 1, 100]) {
      assert.ok(isSilenceActive(daily, day * DAY + 11 * HOUR));
      assert.ok(!isSilenceActive(daily, day * DAY + 13 * HOUR));
      assert.equal(silenceChangesAt(daily, day * DAY + 11 * HOUR), day * DAY + 12 * HOUR);
      assert.equal(silenceChangesAt(daily, day * DAY + 13 * HOUR), (day + 1) * DAY + 10 * HOUR);
    }
    assert.ok(!isSilenceActive(daily, -13 * HOUR), 'not before its first time');
  });

  it('mutes what all of its matchers match; without any, nothing', () => {
    const narrow = silence({
      id: 'narrow',
      matchers: [
        { label: 'app', kind: 'is', value: 'api' },
        { label: 'severity', kind: 'is', value: 'page' },
      ],
    });
    const all = [silence(), narrow, silence({ id: 'empty', matchers: [] })];
    const muted = (one: AlertDocument, at = 11 * HOUR): readonly string[] =>
      muteAlerts([one], all, at).at(0)?.mutedBy ?? [];
    assert.deepEqual(muted(alert()), ['s']);
    assert.deepEqual(muted(alert({ severity: 'page' })), ['s', 'narrow']);
    assert.deepEqual(muted(alert({ app: 'shop' })), []);
    assert.deepEqual(muted(alert(), 13 * HOUR), []);
  });
});

describe('a page', () => {
  it('mutes the ticket of its objective while it fires, and no other', () => {
    const page = alert({ id: 'p-1', fingerprint: 'p', severity: 'page' });
    const muted = (...alerts: readonly AlertDocument[]): readonly (readonly string[])[] =>
      muteAlerts(alerts, [], 0).map(({ mutedBy }) => mutedBy);
    assert.deepEqual(muted(page, alert()), [[], ['p-1']]);
    assert.deepEqual(muted({ ...page, status: 'resolved' }, alert()), [[], []]);
    assert.deepEqual(muted({ ...page, status: 'pending' }, alert()), [[], []]);
    assert.deepEqual(muted(page, alert({ app: 'shop' })), [[], []]);
    assert.deepEqual(muted(page, alert({ labels: { objective: 'latency' } })), [[], []]);
    assert.deepEqual(muted({ ...page, labels: {} }, alert({ labels: {} })), [[], []], 'no objective is no common one');
  });
});
