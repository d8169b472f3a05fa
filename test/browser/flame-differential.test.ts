/** Flame graphs of two versions: a program that looks through a whole list for each item, and its twin that does not. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { bundleView } from '../../scripts/bundle-view.ts';
import { compareProfiles, listProfiles, readWindows, type ComparedFunction } from '../../src/cpu/index.ts';
import { record } from '../findings/record.ts';
import { type CommandResult, type Drover, openDrover } from '../support/drover.ts';
import { chromiumMissing, launchChromium, openFile } from './support/chromium.ts';
import { canvasWidth, colourAt, drawn, framesOf, tipAt } from './support/flame.ts';

const PROGRAM = join(import.meta.dirname, '..', 'fixtures', 'findings', 'linear-search', 'cart-prices');
const WINDOWS = 3;
const MIDDLE_OF_ROW = 9;

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;

describe('a differential flame graph', { skip: chromiumMissing }, () => {
  let browser: Browser;
  let drover: Drover;
  let result: CommandResult;
  let file: string;
  let functions: readonly ComparedFunction[];

  before(async () => {
    await bundleView();
    drover = await openDrover();
    for (const [folder, program] of [
      ['before', 'shows.mjs'],
      ['after', 'twin.mjs'],
    ] as const) {
      await mkdir(join(drover.home, folder));
      for (let window = 0; window < WINDOWS; window += 1)
        await record({ program: join(PROGRAM, program), folder: join(drover.home, folder), name: `w${window}` });
    }
    file = join(drover.home, 'change.html');
    result = await drover.run(['cpu', 'flame', 'before', 'after', '-o', file], { cwd: drover.home });
    const sets = ['before', 'after'].map(async (side) => readWindows(await listProfiles(join(drover.home, side))));
    const [windowsBefore = [], windowsAfter = []] = await Promise.all(sets);
    ({ functions } = compareProfiles(windowsBefore, windowsAfter));
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await drover?.[Symbol.asyncDispose]();
  });

  it('is written by the command', () => {
    assert.equal(result.code, 0, result.stderr);
  });

  it('shows what was gained: before and after, the change, and whether it is more than noise', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await page.getByRole('button', { name: 'before', exact: true }).click();
    const frames = await framesOf(page, 'priceOf');
    const widest = frames.toSorted((a, b) => b.width - a.width)[0];
    assert.ok(widest !== undefined && widest.width > (await canvasWidth(page)) * 0.2, 'it was most of the work');
    const tip = (await tipAt(page, widest.left + 3, widest.top + MIDDLE_OF_ROW)) ?? '';
    assert.match(
      tip,
      /^priceOf\n.*cart-prices\/twin\.mjs:7:\d+\nbefore: .*\nafter: .*\nchange here: −[\d.]+ points/,
      tip,
    );
    // Less than before: blue, and marked in words.
    assert.match(await colourAt(page, widest.left + 2, widest.top + 2), /^#(3f8fcb|3b85bd)$/);
    assert.deepEqual(opened.complaints, []);
  });

  it('has the shares that the comparison has, in the table', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const priceOf = functions.find(({ name }) => name === 'priceOf');
    assert.ok(priceOf !== undefined);
    const row = page.locator('.flame-table tbody tr', { hasText: /priceOf/ }).first();
    const cells = await row.locator('td').allInnerTexts();
    // The page weighs by time, the comparison by samples; the two differ by what intervals do.
    for (const [at, side] of [0, 1].entries()) {
      const shown = Number.parseFloat(cells[1 + at] ?? '');
      assert.ok(
        Math.abs(shown - (priceOf.selfShare[side] ?? 0) * 100) < 8,
        `${cells.join(' | ')}; ${percent(priceOf.selfShare[side] ?? 0)}`,
      );
    }
  });

  it('says of functions that were tested what the test found', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const tested = functions.filter(({ q }) => q !== null);
    assert.ok(tested.length > 0);
    const texts = await page.locator('.flame-table tbody tr td:last-child').allInnerTexts();
    const count = (pattern: RegExp): number => texts.filter((text) => pattern.test(text)).length;
    assert.equal(count(/^changed itself, beyond noise \(q/), tested.filter(({ isChanged }) => isChanged).length);
  });

  it('marks growth by more than a colour', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await drawn(page);
    assert.match(await page.innerText('.flame-legend'), /▼ −5 points or more[^]*▲ \+5 points or more/);
    assert.ok((await page.locator('.flame-legend .flame-hatched').count()) === 4);
  });

  it('says of single files that significance needs more', async () => {
    const single = join(drover.home, 'single.html');
    const files = ['before', 'after'].map((side) => join(drover.home, side, 'w0.cpuprofile'));
    assert.equal((await drover.run(['cpu', 'flame', ...files, '-o', single])).code, 0);
    await using opened = await openFile(browser, single);
    assert.match(await opened.page.innerText('main'), /differences are listed, none is tested/);
    const texts = await opened.page.locator('.flame-table tbody tr td:last-child').allInnerTexts();
    assert.ok(texts.length > 0 && texts.every((text) => text === 'not tested'));
  });
});
