import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { DescriptionThread } from './describe-beside.ts';

/** Of the threads of this process: their nice values, the 19th field of `stat`. */
const niceValues = (): readonly number[] =>
  readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });

describe('the thread that describes nodes', () => {
  it('lets the others of its process go first, and only itself', { skip: process.platform !== 'linux' }, async () => {
    const own = niceValues();
    const [usual = 0] = own;
    assert.ok(own.every((nice) => nice === usual));
    const thread = new DescriptionThread();
    await eventually('it has stepped back', () => niceValues().filter((nice) => nice > usual).length === 1);
    await thread.close();
  });
});
