import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppDocument } from '../../protocol/index.ts';
import { statusLine } from './status-line.ts';

const app = (name: string, status: AppDocument['status'], ready: number, instances = ready) => ({
  name,
  status,
  instances,
  workers: Array.from({ length: instances }, (_, index) => ({ ready: index < ready })),
});

describe('the line for `systemctl status`', () => {
  it('counts workers and apps when all is well', () => {
    const apps = [app('shop', 'online', 4), app('api', 'online', 7), app('mail', 'online', 1)];
    assert.equal(statusLine(apps), '12 workers of 3 apps');
    assert.equal(statusLine([app('shop', 'online', 1)]), '1 worker of 1 app');
  });

  it('says when there is nothing, or nothing that should run', () => {
    assert.equal(statusLine([]), 'no apps');
    assert.equal(statusLine([app('shop', 'stopped', 0, 4)]), '1 app stopped');
    assert.equal(statusLine([app('shop', 'online', 2), app('api', 'stopped', 0)]), '2 workers of 1 app; 1 app stopped');
  });

  it('names what is not well', () => {
    assert.equal(
      statusLine([app('shop', 'degraded', 3, 4), app('api', 'crash-loop', 0, 2), app('mail', 'online', 1)]),
      '4 of 7 workers of 3 apps; shop: degraded; api: crash-loop',
    );
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => app(name, 'crash-loop', 0, 1));
    assert.equal(statusLine(many), '0 of 5 workers of 5 apps; a: crash-loop; b: crash-loop; c: crash-loop; and 2 more');
  });
});
