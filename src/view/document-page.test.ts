import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderDocument } from './document-page.ts';

const HOSTILE = `</script><script>alert(1)</script><!--<img src=x onerror="alert(2)">&'`;

describe('the page of a report to read', () => {
  it('escapes its title, footer and keys', () => {
    const html = renderDocument({ title: HOSTILE, body: '', footer: HOSTILE, keys: [[HOSTILE, HOSTILE]] });
    assert.doesNotMatch(html, /<script>alert|<img/);
  });

  it('has no attribute that its policy blocks, and refers to nothing outside', () => {
    const html = renderDocument({ title: 'a', body: '<section><h2>One</h2></section>', footer: 'b' });
    const body = html.replace(/<script>.*?<\/script>/gs, '');
    assert.doesNotMatch(body, /\sstyle=|\son[a-z]+=/);
    assert.doesNotMatch(body, /https?:|(?:src|href)="(?!#|data:)/);
  });
});
