/** `top`, `health -w`, `slo -w` and `alerts -w` in a terminal: what they show, how they are left, and what they leave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { COMMAND } from '../support/drover.ts';
import { Illness, illService } from '../support/health.ts';
import { openPlace, type Place, readApp, startApp } from '../support/service.ts';
import { Terminal } from '../support/terminal.ts';

const WIDE = { columns: 120, rows: 24 };
const NARROW = { columns: 40, rows: 12 };
const UP = '\u001B[A';
const DOWN = '\u001B[B';

interface LiveCommand {
  readonly words: readonly string[];
  /** Of what it shows in any case. */
  readonly shows: RegExp;
}
const COMMANDS: readonly LiveCommand[] = [
  { words: ['top'], shows: /shop\/1/ },
  { words: ['health', '-w'], shows: /shop\/1/ },
  { words: ['slo', '-w'], shows: /availability/ },
  { words: ['alerts', '-w'], shows: /Nobody is told/ },
];

const assertLeft = async (terminal: Terminal, code = 0): Promise<void> => {
  const ending = await terminal.ended();
  assert.equal(ending.code, code);
  assert.equal(ending.after, ending.before, 'the settings of the terminal are what they were');
  assert.ok(!terminal.isAlternate, 'what was on the screen before is back');
  assert.match(terminal.text, /^shell\ndone/);
  assert.ok(terminal.isCursorShown, 'the cursor is shown');
  assert.ok(terminal.isWrapping, 'lines are wrapped');
};

describe('live screens', { timeout: 180_000 }, () => {
  let place: Place;
  let illness: Illness;
  before(async () => {
    place = await openPlace();
    illness = new Illness(place.drover);
    const slo = [{ name: 'availability', objective: 99 }];
    const probes = { readiness: { http: '/ready', period: '200ms', failureThreshold: 1 } };
    await startApp(place.drover, 'shop', illService(place.port, illness, { slo, probes }));
  });
  after(async () => place[Symbol.asyncDispose]());

  for (const { words, shows } of COMMANDS) {
    const name = words.join(' ');

    for (const [key, called] of [
      ['q', 'q'],
      ['\u0003', 'Ctrl-C'],
    ] as const) {
      it(`${name} draws, and ${called} leaves the terminal as it was`, async () => {
        await using terminal = new Terminal(place.drover, words, WIDE);
        await terminal.until('the screen', (text) => shows.test(text));
        assert.ok(terminal.isAlternate && !terminal.isCursorShown);
        terminal.press(key);
        await assertLeft(terminal);
      });
    }

    it(`${name} keeps to 40 columns, and follows the size of the window`, async () => {
      await using terminal = new Terminal(place.drover, words, NARROW);
      await terminal.until('something', (text) => text.trim() !== '' && terminal.isAlternate);
      assert.ok(
        terminal.lines.every((line) => line.length <= 40),
        terminal.text,
      );
      terminal.resize(WIDE);
      await terminal.until('a line that needs the room', () => terminal.lines.some((line) => line.length > 40));
      terminal.resize(NARROW);
      await terminal.until('lines that fit again', () =>
        terminal.lines.every((line) => line.length <= 40 && !/shell/.test(line)),
      );
      terminal.press('q');
      await assertLeft(terminal);
    });

    it(`${name} is shown once where nobody sits in front of it`, async () => {
      const result = await place.drover.run(words);
      assert.equal(result.code, 0, result.stderr);
      assert.match(result.stdout, shows);
      // oxlint-disable-next-line no-control-regex -- control characters are what this is about
      assert.doesNotMatch(result.stdout, /\u001B/, 'without anything for a terminal');
    });
  }

  it('show that something has changed, and that it is well again', async () => {
    const { drover } = place;
    await using top = new Terminal(drover, ['top'], WIDE);
    await using health = new Terminal(drover, ['health', '-w'], WIDE);
    for (const screen of [top, health]) await screen.until('a healthy app', (text) => /shop +healthy/.test(text));
    illness.tell(1, 'unready');
    for (const screen of [top, health])
      await screen.until('the worker that is not', (text) => /shop\/1 +degraded.*readiness/.test(text));
    illness.heal(1);
    for (const screen of [top, health]) await screen.until('that it is again', (text) => /shop\/1 +healthy/.test(text));
    for (const screen of [top, health]) screen.press('q');
    await assertLeft(top);
    await assertLeft(health);
  });

  it('take keys that come at once, one after the other', async () => {
    await using terminal = new Terminal(place.drover, ['top'], WIDE);
    await terminal.until('the screen', (text) => text.includes('shop/1'));
    terminal.press(`m${UP}cq`);
    await assertLeft(terminal);
  });

  it('scroll where the window is too small', async () => {
    await using terminal = new Terminal(place.drover, ['health', '-w'], { columns: 120, rows: 3 });
    await terminal.until('the first lines', (text) => /^app .*\nshop .*\nlines 1 to 2 of 4/.test(text));
    terminal.press(DOWN);
    await terminal.until('the next ones', (text) => /^shop .*\n {2}shop\/0.*\nlines 2 to 3 of 4/.test(text));
    terminal.press('\u001B[6~');
    await terminal.until('the last ones', (text) => /^ {2}shop\/0.*\n {2}shop\/1.*\nlines 3 to 4 of 4/.test(text));
    terminal.press(UP);
    await terminal.until('one line up', (text) => text.includes('lines 2 to 3 of 4'));
    terminal.press('q');
    await assertLeft(terminal);
  });

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    it(`leave the terminal as it was when ${signal} ends them`, async () => {
      await using terminal = new Terminal(place.drover, ['top'], WIDE);
      await terminal.until('the screen', (text) => text.includes('shop/1'));
      process.kill(terminal.pid, signal);
      const codes = { SIGTERM: 143, SIGHUP: 129, SIGINT: 0 };
      const ending = await terminal.ended();
      assert.equal(ending.code, codes[signal]);
      assert.equal(ending.after, ending.before);
      assert.ok(!terminal.isAlternate && terminal.isCursorShown && terminal.isWrapping);
    });
  }

  it('give the terminal back while they are stopped by Ctrl-Z, and go on after `fg`', async () => {
    await using terminal = new Terminal(place.drover, ['top'], WIDE);
    await terminal.until('the screen', (text) => text.includes('shop/1'));
    terminal.press('\u001A');
    await terminal.until('what was there before', (text) => text.startsWith('shell') && terminal.stopped !== null);
    assert.ok(terminal.isCursorShown);
    const between = terminal.stopped;
    terminal.press('\n');
    await terminal.until('the screen again', (text) => text.includes('shop/1') && terminal.isAlternate);
    terminal.press('q');
    const ending = await terminal.ended();
    assert.deepEqual([ending.code, ending.after, between], [0, ending.before, ending.before]);
  });

  it('write a document a line with --json, until the last reader has gone', async () => {
    const child = spawn(process.execPath, [COMMAND, 'health', '-w', '--json'], {
      env: place.drover.environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.split('\n').length > 2) break;
    }
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0);
    for (const line of text.split('\n').slice(0, 2)) assert.equal(JSON.parse(line).apps[0].name, 'shop');
  });

  it('answer keys while the daemon hangs', async () => {
    const { pid } = await place.drover.daemon();
    await using terminal = new Terminal(place.drover, ['top'], WIDE);
    await terminal.until('the screen', (text) => text.includes('shop/1'));
    process.kill(pid ?? 0, 'SIGSTOP');
    try {
      const before = terminal.lines[0];
      await terminal.until('no news for a moment', () => true);
      terminal.press('m');
      assert.ok(before !== undefined);
      terminal.press('q');
      await assertLeft(terminal);
    } finally {
      process.kill(pid ?? 0, 'SIGCONT');
    }
  });

  it('keep what was said last while the daemon is away, and go on with the next one', async () => {
    const { drover } = place;
    await using terminal = new Terminal(drover, ['health', '-w'], WIDE);
    await terminal.until('the screen', (text) => text.includes('shop/1'));
    const workers = (await readApp(drover, 'shop')).workers.map(({ pid }) => pid);
    const stop = await drover.run(['daemon', 'stop', '--keep-workers']);
    assert.equal(stop.code, 0, stop.stderr);
    await terminal.until('that it is away', (text) => /The daemon has not answered since .*\n.*\n.*shop/.test(text));
    assert.ok(terminal.isAlternate);
    assert.equal((await drover.run(['daemon', 'start'])).code, 0);
    await terminal.until('the next one', (text) => text.includes('shop/1') && !text.includes('has not answered'));
    assert.deepEqual(
      (await readApp(drover, 'shop')).workers.map(({ pid }) => pid),
      workers,
    );
    terminal.press('q');
    await assertLeft(terminal);
  });

  it('are an error where there is no daemon to begin with, and the terminal is not touched', async () => {
    await using empty = await openPlace();
    await using terminal = new Terminal(empty.drover, ['top'], WIDE);
    const ending = await terminal.ended();
    assert.deepEqual([ending.code, ending.after], [4, ending.before]);
    assert.match(terminal.text, /^shell\nThe daemon is not/);
  });
});
