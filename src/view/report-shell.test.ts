import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { asInlineJson, renderReport } from './report-shell.ts';

const HOSTILE = '</script><script>alert(1)</script><!--\u2028';

describe('the shell of reports', () => {
  it('keeps data from ending its element, and gives it back whole', () => {
    const html = renderReport({ title: 'a', body: '', data: { facts: { name: HOSTILE } } });
    const json = /<script type="application\/json" id="facts">(.*?)<\/script>/s.exec(html)?.[1];
    assert.deepEqual(JSON.parse(json ?? ''), { name: HOSTILE });
    assert.equal(html.split('<script').length, 2);
    assert.doesNotMatch(asInlineJson(HOSTILE), /</);
  });

  it('escapes the title', () => {
    assert.match(renderReport({ title: '</title><b>', body: '' }), /<title>&#60;\/title&#62;&#60;b&#62;<\/title>/);
  });

  it('allows its own scripts and styles by their hashes and nothing else', () => {
    const html = renderReport({ title: 'a', body: '', style: 'p { margin: 0 }', scripts: ['const a = "</script>";'] });
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const script = /<script>(.*?)<\/script>/s.exec(html)?.[1] ?? '';
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';
    assert.equal(script, 'const a = "\\x3c/script>";');
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
    assert.match(policy, /^default-src 'none';/);
    assert.ok(policy.includes(`script-src 'sha256-${hash(script)}';`));
    assert.ok(policy.includes(`style-src 'sha256-${hash(style)}';`));
  });

  it('allows no script where it has none', () => {
    assert.match(renderReport({ title: 'a', body: '' }), /script-src 'none'/);
  });
});
