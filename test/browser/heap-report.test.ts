/** The HTML report of a heap, as people open it: from the disk, without a network, in both themes, by keyboard. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type CommandResult, type Drover, openDrover } from '../support/drover.ts';
import { runProgram } from '../heap/support/snapshots.ts';
import { chromiumMissing, launchChromium, openFile } from './support/chromium.ts';

const focusedName = async (page: Page): Promise<string> =>
  page.evaluate('document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""');

const backgroundOf = async (page: Page): Promise<string> =>
  page.evaluate('getComputedStyle(document.body).backgroundColor');

describe('the HTML report of a heap', { skip: chromiumMissing }, () => {
  let browser: Browser;
  let drover: Drover;
  let report: string;
  let result: CommandResult;
  before(async () => {
    drover = await openDrover();
    const snapshot = join(drover.home, 'app.heapsnapshot');
    report = join(drover.home, 'report.html');
    await runProgram('secrets-app.mjs', [snapshot]);
    result = await drover.run(['heap', 'analyze', snapshot, '-o', report]);
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await drover?.[Symbol.asyncDispose]();
  });

  it('is written by the command', () => {
    assert.equal(result.code, 0, result.stderr);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`opens offline in a ${colorScheme} system without a complaint`, async () => {
      await using opened = await openFile(browser, report, { colorScheme });
      await opened.page.waitForSelector('.treemap .box');
      assert.equal(await backgroundOf(opened.page), colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 25, 29)');
      assert.match(await opened.page.innerText('main'), /CustomerStore/);
      assert.deepEqual(opened.complaints, []);
    });

  it('turns to the other theme by a key', async () => {
    await using opened = await openFile(browser, report, { colorScheme: 'dark' });
    await opened.page.keyboard.press('t');
    assert.equal(await backgroundOf(opened.page), 'rgb(255, 255, 255)');
    await opened.page.keyboard.press('t');
    assert.equal(await backgroundOf(opened.page), 'rgb(22, 25, 29)');
  });

  it('is gone through by keyboard: sections, the map, its boxes, and back out', async () => {
    await using opened = await openFile(browser, report);
    const { page } = opened;
    const passed: string[] = [];
    for (const title of [/^Verdict/, /^Suspects/, /^What keeps what/]) {
      await page.keyboard.press('n');
      passed.push(await focusedName(page));
      assert.match(passed.at(-1) ?? '', title);
    }
    await page.keyboard.press('p');
    assert.equal(await focusedName(page), passed.at(-2));
    await page.locator('.treemap .box[tabindex="0"]').focus();
    assert.match(await focusedName(page), /^\(root\): /);
    await page.keyboard.press('ArrowDown');
    const first = await focusedName(page);
    assert.match(first, /^\(root\) › [^›]+: /);
    await page.keyboard.press('Enter');
    assert.match(await focusedName(page), /^\(root\) › [^›]+ › [^›]+: /);
    assert.match(await page.innerText('.treemap-path'), /\(root\) › /);
    assert.match(await page.innerText('.treemap-status'), /% of the whole/);
    await page.keyboard.press('Escape');
    assert.equal(await page.innerText('.treemap-path'), '(root)');
    await page.keyboard.press('?');
    assert.ok(await page.locator('dialog').isVisible());
    assert.deepEqual(opened.complaints, []);
  });

  it('sorts a table by a column', async () => {
    await using opened = await openFile(browser, report);
    const { page } = opened;
    const objects = async (): Promise<number[]> =>
      page.evaluate(
        '[...document.querySelectorAll("table[data-sortable] tbody tr")].map((row) => Number(row.cells[1].dataset.value))',
      );
    await page.getByRole('button', { name: 'objects', exact: true }).first().click();
    const down = await objects();
    assert.ok(down.length > 10);
    assert.deepEqual(
      down,
      down.toSorted((one, two) => two - one),
    );
    await page.getByRole('button', { name: 'objects', exact: true }).first().click();
    assert.deepEqual(await objects(), down.toReversed());
  });

  it('finds boxes of the map', async () => {
    await using opened = await openFile(browser, report);
    await opened.page.keyboard.press('/');
    await opened.page.keyboard.type('customerstore');
    assert.match(await opened.page.innerText('.treemap-status'), /^[1-9]\d* box/);
  });

  it('holds secrets as they are, and none once it is redacted', async () => {
    const redacted = join(drover.home, 'redacted.html');
    const snapshot = join(drover.home, 'app.heapsnapshot');
    assert.equal((await drover.run(['heap', 'analyze', snapshot, '--redact', '-o', redacted])).code, 0);
    const html = await readFile(redacted, 'utf8');
    assert.match(html, /CustomerStore/);
    assert.doesNotMatch(html, /SECRET/);
    // Else the check above would check nothing.
    assert.match(await readFile(report, 'utf8'), /SECRET/);
    await using opened = await openFile(browser, redacted);
    await opened.page.waitForSelector('.treemap .box');
    assert.deepEqual(opened.complaints, []);
  });
});
