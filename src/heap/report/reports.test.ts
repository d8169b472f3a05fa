/** What came from a file does nothing in any form of a report: no escape sequence, no element, no link, no broken table. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeapSuspect } from '../judge/verdict.ts';
import { renderPathsText, renderQueryText, renderStringsText } from './answers-text.ts';
import type { AnalyzeDocument, DiffDocument } from './documents.ts';
import type { DominatorChart } from './dominator-chart.ts';
import { renderAnalyze, renderDiff } from './render.ts';
import { PLAIN } from './text.ts';

const HOSTILE =
  '\u001b[31mred\u001b]0;title\u0007 <img src=x onerror=alert(1)> </script><script>alert(2)</script> | `code` ``` @everyone #1 https://example.org www.example.org [a](b) \u202Eesrever\r\nnext\u0000 "quoted" \'single\' &amp;';

const suspect: HeapSuspect = {
  rank: 1,
  basis: 'growth',
  pattern: 'collection',
  className: HOSTILE,
  counts: [1, 2, 3],
  retainedBytes: 4_200_000,
  growth: { objects: [1, 1], bytes: [1_000_000, 2_000_000], share: 0.98 },
  path: [
    { edge: '', node: HOSTILE, id: 1 },
    { edge: HOSTILE, node: HOSTILE, location: HOSTILE, id: 3 },
  ],
  holder: `the Map \`${HOSTILE}\` at ${HOSTILE}:31`,
  holding: { kind: 'property', what: 'Map', name: HOSTILE, owner: HOSTILE },
  allocation: HOSTILE,
  remedy: `Give \`${HOSTILE}\` a bound.`,
  remedyCode: `const a = '${HOSTILE}';\nsecond();`,
};

const diff: DiffDocument = {
  verdict: 'leak',
  confidence: 0.97,
  headline: `1000 more \`${HOSTILE}\``,
  reasons: [HOSTILE],
  totals: { objects: [1, 2, 3], bytes: [1, 2, 3] },
  suspects: [suspect],
  files: [HOSTILE, HOSTILE, HOSTILE],
  classes: [{ name: HOSTILE, counts: [1, 2, 3], bytes: [10, 20, 30] }],
  isRedacted: true,
};

const analyze: AnalyzeDocument = {
  kind: 'timeline',
  file: HOSTILE,
  nodes: 3,
  edges: 4,
  totalBytes: 100,
  headline: HOSTILE,
  reasons: [HOSTILE],
  classes: [{ name: HOSTILE, count: 1, shallowBytes: 2, retainedBytes: 3, location: HOSTILE }],
  suspects: [suspect],
  allocations: [
    {
      name: HOSTILE,
      scriptName: HOSTILE,
      scriptId: 1,
      line: 2,
      column: 3,
      selfBytes: 4,
      totalBytes: 5,
      count: 6,
      callers: [{ name: HOSTILE, scriptName: HOSTILE, scriptId: 1, line: 2, column: 3 }],
    },
  ],
  isRedacted: false,
};

const chart: DominatorChart = {
  parent: [-1],
  name: [0],
  names: [HOSTILE],
  type: [3],
  count: [1],
  retainedBytes: [100],
  id: [1],
};
const charts = { dominators: chart };
const options = { ...PLAIN, madeBy: 'Made by a test' };
const object = {
  id: 1,
  className: HOSTILE,
  type: 'object',
  shallowBytes: 1,
  retainedBytes: 2,
  distance: 3,
  value: HOSTILE,
  location: HOSTILE,
};

/** What a terminal would act on. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const ACTING = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/;

describe('a report in text', () => {
  const texts: Readonly<Record<string, string>> = {
    diff: renderDiff(diff, charts, 'text', options),
    analyze: renderAnalyze(analyze, charts, 'text', options),
    paths: renderPathsText({
      file: HOSTILE,
      of: HOSTILE,
      objects: 1,
      followed: 1,
      paths: [{ objects: 1, shallowBytes: 1, retainedBytes: 1, exampleId: 1, path: suspect.path }],
      isRedacted: false,
    }),
    query: renderQueryText({
      file: HOSTILE,
      total: 1,
      shallowBytes: 1,
      objects: [object],
      references: [{ edge: HOSTILE, retains: true, object }],
      retainers: [],
      isRedacted: false,
    }),
    strings: renderStringsText({
      file: HOSTILE,
      strings: 2,
      bytes: 2,
      wastedBytes: 1,
      duplicates: [{ count: 2, bytes: 2, wastedBytes: 1, length: 1, sample: HOSTILE, ids: [1] }],
      isRedacted: false,
    }),
  };
  for (const [name, text] of Object.entries(texts))
    it(`of ${name} has nothing that a terminal acts on`, () => {
      assert.ok(text.includes('red'));
      assert.equal(ACTING.exec(text), null);
    });

  it('says the verdict first', () => {
    assert.match(texts['diff'] ?? '', /^LEAK \(confidence 97 %\): 1000 more /);
  });
});

describe('a report in HTML', () => {
  for (const [name, html] of Object.entries({
    diff: renderDiff(diff, charts, 'html', options),
    analyze: renderAnalyze(analyze, charts, 'html', options),
  }))
    it(`of ${name} has no element of the file's`, () => {
      assert.ok(html.includes('red'));
      assert.doesNotMatch(html, /<img|<script>alert/);
      // Only the page's own scripts and the map's data.
      assert.equal(html.match(/<script/g)?.length, html.match(/<\/script>/g)?.length);
      const text = html.replaceAll(/<script[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>/g, '');
      assert.equal(ACTING.exec(text), null);
      for (const [tag] of text.matchAll(/<[^>]*>/g))
        assert.doesNotMatch(tag.replaceAll(/"[^"]*"/g, '""'), /alert|\son\w+=/);
    });
});

describe('a report in Markdown', () => {
  for (const [name, markdown] of Object.entries({
    diff: renderDiff(diff, charts, 'markdown', options),
    analyze: renderAnalyze(analyze, charts, 'markdown', options),
  }))
    it(`of ${name} links, mentions and draws nothing of the file's`, () => {
      assert.ok(markdown.includes('red'));
      assert.equal(ACTING.exec(markdown), null);
      const outside = withoutCode(markdown).replaceAll(/<\/?(?:details|summary)>/g, '');
      assert.doesNotMatch(outside, /@everyone|https:|www\.|(?<!\\)[<[]|#1\b/);
      for (const line of markdown.split('\n').filter((one) => one.startsWith('| ')))
        assert.equal(line.match(/(?<!\\)\|/g)?.length, columnsOf(markdown, line), line);
    });
});

/** Code spans and blocks, as CommonMark ends them: by as many backticks as began them. */
const withoutCode = (markdown: string): string =>
  markdown
    .replaceAll(/^(`{3,})[^\n`]*\n[\s\S]*?^\1$/gm, '')
    .replaceAll(/(?<![`\\])(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');

/** Bars of a row: one more than the columns of the table that it is in. */
const columnsOf = (markdown: string, line: string): number => {
  const lines = markdown.split('\n');
  const at = lines.indexOf(line);
  const isRule = (one: string): boolean => one.startsWith('| ---');
  const rule = isRule(lines[at + 1] ?? '') ? lines[at + 1] : lines.slice(0, at + 1).findLast(isRule);
  return rule?.match(/\|/g)?.length ?? 0;
};
