import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderTreemap } from './treemap.ts';

describe('a treemap', () => {
  it('escapes what it writes into the page, and leaves the rest to the data', () => {
    const hostile = '<img src=x onerror="alert(1)">';
    const { body, data } = renderTreemap(
      {
        title: hostile,
        parent: [-1],
        name: [0],
        names: [hostile],
        bytes: [1],
        notes: [''],
        kind: [0],
        kinds: [hostile],
      },
      'map',
    );
    assert.doesNotMatch(body, /<img/);
    assert.deepEqual(Object.keys(data), ['map-data']);
  });
});
