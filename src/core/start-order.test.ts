import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startOrder } from './start-order.ts';

const app = (name: string, ...dependsOn: string[]): { name: string; dependsOn: string[] } => ({ name, dependsOn });

describe('the order in which apps start', () => {
  it('puts every app after what it depends on, and the rest together', () => {
    const order = startOrder([app('web', 'api'), app('mail'), app('api', 'db', 'cache'), app('db'), app('cache')]);
    assert.deepEqual(order, { kind: 'waves', waves: [['mail', 'db', 'cache'], ['api'], ['web']] });
  });

  it('names the cycle, without the apps that only wait for it', () => {
    const order = startOrder([app('web', 'a'), app('a', 'ok', 'b'), app('b', 'c'), app('c', 'a'), app('ok')]);
    assert.deepEqual(order, { kind: 'cycle', cycle: ['a', 'b', 'c'] });
  });

  it('knows an app that waits for itself, and one that waits for nobody there', () => {
    assert.deepEqual(startOrder([app('a', 'a')]), { kind: 'cycle', cycle: ['a'] });
    assert.deepEqual(startOrder([app('a', 'b')]), { kind: 'unknown', app: 'a', dependsOn: 'b' });
  });
});
