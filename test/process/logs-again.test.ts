/** Following logs while the daemon is killed: every line once, also equal ones, and those of a worker that was silent. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LogLineDocument } from '../../src/protocol/index.ts';
import { openDrover, type Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';

const TICKS = `setInterval(() => console.log('tick'), 100);`;
/** Answers each file in its folder with the same three lines, in one moment. */
const ANSWERS = `
  const { readdirSync } = require('node:fs');
  let answered = 0;
  console.log('hello');
  setInterval(() => {
    for (; answered < readdirSync(process.env.ASKED).length; answered += 1) console.log('one\\ntwo\\nthree');
  }, 20);`;
const DEATHS = 3;

const printed = (drover: Drover, app: string): number =>
  readFileSync(join(drover.home, 'logs', app, '0.1.out.log'), 'utf8').split('\n').length - 1;

describe('logs that are followed while the daemon is killed', () => {
  it('show each line once, also of a worker that prints the same for ever, and of one that was silent for long', async () => {
    await using drover = await openDrover();
    const asked = join(drover.home, 'logs-asked');
    const config = join(drover.home, 'drover.config.json');
    for (const [name, text] of [
      ['ticks.cjs', TICKS],
      ['answers.cjs', ANSWERS],
    ] as const)
      writeFileSync(join(drover.home, name), text);
    const apps = {
      ticks: { script: join(drover.home, 'ticks.cjs') },
      answers: { script: join(drover.home, 'answers.cjs'), env: { ASKED: asked } },
    };
    mkdirSync(asked);
    writeFileSync(config, JSON.stringify({ apps }));
    await drover.start([config]);
    const follower = drover.spawn(['logs', '-f', '--json', '--lines', '100000']);
    let seen = '';
    follower.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const linesOf = (app: string): string[] =>
      seen
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogLineDocument)
        .flatMap((line) => (line.app === app ? [line.line] : []));
    try {
      for (let death = 1; death <= DEATHS; death += 1) {
        const before = printed(drover, 'ticks');
        // So long that the other worker is out of what is read again.
        await eventually('it ticks', () => linesOf('ticks').length > before + 30);
        await drover.killDaemon();
        await eventually('it ticks on', () => linesOf('ticks').length > before + 40);
        writeFileSync(join(asked, String(death)), '');
        await eventually('it answers', () => linesOf('answers').length >= 1 + 3 * death);
      }
      const answers = Array.from({ length: DEATHS }, () => ['one', 'two', 'three']);
      assert.deepEqual(linesOf('answers'), ['hello', ...answers.flat()]);
      for (const pid of await drover.pids('ticks')) process.kill(pid, 'SIGSTOP');
      await eventually('all is followed', () => linesOf('ticks').length >= printed(drover, 'ticks'));
      assert.equal(linesOf('ticks').length, printed(drover, 'ticks'));
    } finally {
      follower.kill();
      for (const pid of await drover.pids('ticks')) process.kill(pid, 'SIGCONT');
    }
  });
});
