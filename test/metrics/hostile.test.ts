/**
 * Metrics from hell, as promtool sees the page that comes of them: whatever an app says, the page must parse. What promtool
 * only finds unusual (exit 3: names that end in units it would not choose) is the app's.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Exposition } from '../../src/metrics/index.ts';
import { isInPath } from '../provisions.ts';
import { hostileApps } from './hostile-apps.ts';
import { parsePage } from './parse-page.ts';
import { app, collected, counter, gauge, histogram, worker } from './readings.ts';

const OPEN = 'application/openmetrics-text;version=1.0.0';

const skip = isInPath('promtool') ? false : 'promtool is not installed';
const PARSE_FAILED = 1;

const check = (body: string): { readonly status: number | null; readonly output: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

describe('promtool check metrics', { skip }, () => {
  it('finds nothing to say about what is ours, in any scope', () => {
    for (const scope of ['mixed', 'app', 'worker'] as const) {
      const own = [
        counter('orders_total', 3),
        gauge('queue_length', 4, 'max'),
        histogram('work_seconds', [0.1, 1], [1, 2, 3], 4),
      ];
      const workers = [0, 1].map((slot) => worker(slot, { pid: process.pid, collected: collected(own) }));
      const daemon = { version: '0.1.0', startedAtSeconds: 1_790_000_000, rssBytes: 60e6, cpuSeconds: 3 };
      const { body } = new Exposition().write({ apps: [app(workers)], daemon }, { accept: null, scope, app: null }, 0);
      const { status, output } = check(body);
      assert.equal(status, 0, `${scope}: ${output}`);
      assert.equal(output, '');
    }
  });

  it('can parse whatever apps say', () => {
    fc.assert(
      fc.property(hostileApps, fc.constantFrom('mixed', 'app', 'worker'), (apps, scope) => {
        const { body } = new Exposition().write({ apps, daemon: null }, { accept: null, scope, app: null }, 0);
        const { status, output } = check(body);
        assert.notEqual(status, PARSE_FAILED, output.slice(0, 500));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a page that is none, so that the above says something', () => {
    assert.equal(check('a{b="c} 1\n').status, PARSE_FAILED);
  });
});

describe('a strict parser', () => {
  it('can read whatever apps say, in either format', () => {
    fc.assert(
      fc.property(
        hostileApps,
        fc.constantFrom('mixed', 'app', 'worker'),
        fc.constantFrom(null, OPEN),
        (apps, scope, accept) => {
          const { body } = new Exposition().write({ apps, daemon: null }, { accept, scope, app: null }, 0);
          parsePage(Buffer.from(body).toString(), accept === null ? 'text' : 'openmetrics');
        },
      ),
      { numRuns: 500 },
    );
  });
});
