/** The rules that ship, as Prometheus' own tool sees them: whether they are valid, name metrics that exist, and fire when they should. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OWN_TYPES } from '../../src/metrics/exposition/own-families.ts';
import { isInPath } from '../provisions.ts';
import { temporaryFolder } from '../support/temporary.ts';

const RULES = join(import.meta.dirname, '..', '..', 'docs', 'prometheus', 'drover.rules.yml');
const skip = isInPath('promtool') ? false : 'promtool is not installed';

const promtool = (...args: string[]) => spawnSync('promtool', args, { encoding: 'utf8' });

describe('the rules for Prometheus', { skip }, () => {
  it('are valid', () => {
    const { status, stdout, stderr } = promtool('check', 'rules', '--lint=all', '--lint-fatal', RULES);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /SUCCESS: \d+ rules found/);
  });

  it('name no metric that is not shown', () => {
    const text = readFileSync(RULES, 'utf8');
    const recorded = new Set([...text.matchAll(/record: (\S+)/g)].map(([, name]) => name));
    const used = [...text.matchAll(/\b(?:drover|process|nodejs|http_server)_[a-z0-9_:]+/g)].map(([name]) => name);
    const shown = (name: string): boolean =>
      recorded.has(name) ||
      OWN_TYPES.has(name) ||
      OWN_TYPES.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
    assert.ok(used.length > 20);
    assert.deepEqual(
      used.filter((name) => !shown(name)),
      [],
    );
  });

  it('fire on a burnt budget, and not on a spent minute', async () => {
    await using folder = await temporaryFolder('rules');
    const file = join(folder.path, 'test.yml');
    // 2 % errors for two hours; and 2 % errors for three minutes, long over.
    writeFileSync(
      file,
      `rule_files: [${RULES}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'drover_requests_served_total{app="bad",worker="bad/0"}', values: '0+98x120' }
      - { series: 'drover_requests_failed_total{app="bad",worker="bad/0"}', values: '0+2x120' }
      - { series: 'drover_requests_lost_total{app="bad",worker="bad/0"}', values: '0+0x120' }
      - { series: 'drover_requests_served_total{app="good",worker="good/0"}', values: '0+100x120' }
      - { series: 'drover_requests_failed_total{app="good",worker="good/0"}', values: '0+0x90 2+2x3 8+0x27' }
      - { series: 'drover_requests_lost_total{app="good",worker="good/0"}', values: '0+0x120' }
    alert_rule_test:
      - eval_time: 2h
        alertname: DroverErrorBudgetBurnsFast
        exp_alerts:
          - exp_labels: { app: bad, severity: page }
            exp_annotations:
              summary: bad spends a month of its error budget within two days
              description: 2% of requests failed within the last hour.
`,
    );
    const { status, stdout, stderr } = promtool('test', 'rules', file);
    assert.equal(status, 0, stdout + stderr);
  });
});
