import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseFrame } from './frame-text.ts';

it("takes V8's mark of a tier for one where a place follows, and for a part of the name elsewhere", () => {
  const at = (text: string): string => {
    const { name, url, line, column } = parseFrame(text);
    return [name, url, line, column].join('|');
  };
  assert.equal(at('*total /app/a.js:3:14'), 'total|/app/a.js|3|14');
  assert.equal(at('JS:~total file:///app/a.js:3'), 'total|file:///app/a.js|3|0');
  assert.equal(at('*'), '*||0|0');
  assert.equal(at('~Session'), '~Session||0|0');
});
