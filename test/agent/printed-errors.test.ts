/** What each Node prints of errors stays together when logs are read: nobody promises that its look does not change. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { text } from 'node:stream/consumers';
import { groupLines, intoRecords } from '../../src/logs/index.ts';
import { underEachNode } from './support/under-each-node.ts';

function recordsOf(printed: string): string[] {
  const grouper = groupLines();
  const lines = printed.split('\n').map((line) => ({ line, joins: grouper.joins(line) }));
  return intoRecords(lines).map((record) => record.map(({ line }) => line).join('\n'));
}

async function printedBy(node: string, program: string): Promise<string> {
  const child = spawn(node, ['-e', program], { stdio: ['ignore', 'ignore', 'pipe'] });
  return (await text(child.stderr)).trim();
}

const PRINTS = [
  "console.error(new Error('a', { cause: new TypeError('b', { cause: { deep: [1, { two: 2 }] } }) }))",
  "console.error(new AggregateError([new Error('a'), new Error('b')], 'both'))",
  "console.error({ list: Array.from({ length: 30 }, (_, i) => ({ i, text: 'x'.repeat(i) })), map: new Map([[1, { a: 1 }]]) })",
  "console.error(Object.assign(new Error('a'), { code: 'E', detail: { nested: { more: 'x'.repeat(90) } } }))",
];

const ENDS = [
  "throw new Error('a', { cause: new Error('b') })",
  "throw Object.assign(new Error('one\\ntwo'), { code: 'E' })",
  'throw 5',
  "Promise.reject(new Error('late'))",
  "require('./is-not-there')",
  'const x = ;',
  "require('node:net').createServer().listen('/nowhere/at/all')",
];

underEachNode('An error that Node prints', ({ path: node }) => {
  it('is one record between the lines around it', async () => {
    for (const program of PRINTS) {
      const records = recordsOf(await printedBy(node, `console.error('before');${program};console.error('after')`));
      assert.equal(records.length, 3, records.join('\n----\n'));
      assert.deepEqual([records[0], records[2]], ['before', 'after']);
    }
  });

  it('is one record when it ends the process, whatever was thrown', async () => {
    for (const program of ENDS) {
      const printed = await printedBy(node, program);
      assert.match(printed, /Node\.js v\d/);
      assert.deepEqual(recordsOf(printed), [printed]);
    }
  });
});
