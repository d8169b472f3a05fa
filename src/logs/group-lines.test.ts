import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { groupLines, intoRecords, RECORD_LIMIT_LINES } from './group-lines.ts';

/** The records that a text falls into. */
const recordsOf = (text: string): string[] => {
  const grouper = groupLines();
  const lines = text.split('\n').map((line) => ({ line, joins: grouper.joins(line) }));
  return intoRecords(lines).map((record) => record.map(({ line }) => line).join('\n'));
};

describe('lines that belong together', () => {
  it('are a stack trace with its causes, between lines that stand alone', () => {
    const trace = [
      'TypeError: no',
      '    at first (/srv/a.js:1:2)',
      '    at async /srv/b.js:3:4 {',
      "  code: 'E_NO',",
      '  [cause]: Error: because',
      '      at second (/srv/c.js:5:6)',
      '}',
    ].join('\n');
    const java = [
      'java.lang.Exception: no',
      '\tat a.B.c(B.java:1)',
      'Caused by: java.io.IOException',
      '\t... 3 more',
    ].join('\n');
    assert.deepEqual(recordsOf(['before', trace, 'between', java, '{"level":30}'].join('\n')), [
      'before',
      trace,
      'between',
      java,
      '{"level":30}',
    ]);
  });

  it('are the same where lines end with a return as well', () => {
    const dump = ['/srv/a.js:1', 'throw it', '^', '', 'Error: x', '    at y', '', 'Node.js v24.1.0'];
    const text = ['{', "  code: 'E_NO'", '}', ...dump, 'next'].map((line) => `${line}\r`);
    assert.deepEqual(recordsOf(text.join('\n')), [text.slice(0, 3).join('\n'), text.slice(3, 11).join('\n'), 'next\r']);
  });

  it('are not blank lines, or ordinary lines after a trace', () => {
    assert.deepEqual(recordsOf('a\n\n{\n}\nb'), ['a', '', '{\n}', 'b']);
    assert.deepEqual(recordsOf('Error: x\n    at y\n\nnext'), ['Error: x\n    at y', '', 'next']);
    assert.deepEqual(recordsOf('/srv/a.js:1\nsource\nno carets'), ['/srv/a.js:1\nsource', 'no carets']);
  });

  it('are bounded, for programs that indent everything', () => {
    const records = recordsOf(Array.from({ length: 2 * RECORD_LIMIT_LINES }, () => '  x').join('\n'));
    assert.equal(records.length, 2);
  });

  it('make up everything, each once and in order', () => {
    const line = fc.constantFrom(
      'a',
      '',
      '  b',
      '}',
      '/x.js:1',
      '  ^',
      '    at c',
      'Node.js v24.0.0',
      'Caused by: d',
      'Error: e {',
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        assert.equal(recordsOf(lines.join('\n')).join('\n'), lines.join('\n'));
      }),
    );
  });

  it('look unfinished also where the message has a separator of Unicode in it', () => {
    for (const text of ['Error: a\u2028b', 'TypeError: a\u2029b', 'Error: a\rb', 'Error: a\r', '{\r']) {
      const grouper = groupLines();
      grouper.joins(text);
      assert.ok(grouper.mayGoOn, JSON.stringify(text));
    }
  });

  it('look unfinished while more may come', () => {
    const grouper = groupLines();
    const look = (text: string): boolean => {
      grouper.joins(text);
      return grouper.mayGoOn;
    };
    assert.deepEqual(
      [
        'plain',
        'Error: x',
        '    at y',
        'plain',
        '{',
        '/a.js:1',
        'x',
        '^',
        '',
        'Error',
        '    at z',
        '',
        'Node.js v24.1.0',
      ].map(look),
      [false, true, true, false, true, true, true, true, true, true, true, true, false],
    );
  });
});
