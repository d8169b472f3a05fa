import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { lifecycles } from '../../scripts/lifecycles.ts';

describe('the golden tables of the state machines', () => {
  for (const { path, text } of lifecycles()) {
    it(`${path} is what the running table prints (node scripts/lifecycles.ts)`, async () => {
      assert.equal(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8'), text);
    });
  }
});
