/**
 * The cases of docs/cases.md, replayed: real services under load, real snapshots and profiles, and what the commands say
 * of them. Before and after, so that the answer is about the fault and not about the service.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { replayPriceCalculator, replayShoppingCart } from '../../examples/cases/replay.ts';
import { chromiumMissing, launchChromium, openFile } from '../browser/support/chromium.ts';
import { type Drover, openDrover } from '../support/drover.ts';

let drover: Drover;
before(async () => {
  drover = await openDrover();
});
after(async () => drover[Symbol.asyncDispose]());

interface Suspect {
  readonly pattern: string;
  readonly holder: string | { readonly text?: string };
  readonly remedy: unknown;
}

interface Place {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly hotLine: number | null;
}

describe('the shopping cart whose items listen for ever', () => {
  it('is a leak: the emitter, its file and line, and the remedy are named', async () => {
    const snapshots = await replayShoppingCart('before', drover.home);
    assert.equal(snapshots.length, 3);
    const { code, stdout } = await drover.run(['heap', 'diff', ...snapshots, '--json']);
    assert.equal(code, 1);
    const { verdict, suspects } = JSON.parse(stdout) as { verdict: string; suspects: Suspect[] };
    assert.equal(verdict, 'leak');
    const [first] = suspects;
    assert.ok(first !== undefined);
    assert.equal(first.pattern, 'listeners');
    const holder = JSON.stringify(first.holder);
    assert.match(holder, /priceChange/);
    assert.match(holder, /shopping-cart\/before\.mjs/);
    // Where the emitter is (8) or where the listener is made (24): both are lines to go to.
    const text = await drover.run(['heap', 'diff', ...snapshots]);
    assert.match(text.stdout, /priceChanges.*shopping-cart\/before\.mjs:8\b/);
    assert.match(text.stdout, /shopping-cart\/before\.mjs:24\b/);
    assert.match(JSON.stringify(first.remedy), /\.off\(|removeListener|take .* off/i);
    // A snapshot given to the doctor is the business of `heap analyze`.
    const doctor = await drover.run(['doctor', snapshots[2] ?? '', '--json']);
    assert.equal(doctor.code, 0, doctor.stderr);
    assert.ok((JSON.parse(doctor.stdout) as { totalBytes: number }).totalBytes > 1_000_000);
  });

  it('is none once one listener serves all carts', async () => {
    const snapshots = await replayShoppingCart('after', drover.home);
    const { code, stdout } = await drover.run(['heap', 'diff', ...snapshots, '--json']);
    assert.deepEqual([code, (JSON.parse(stdout) as { verdict: string }).verdict], [0, 'no-leak']);
  });
});

describe('the price calculator that looks every item up', () => {
  let folders: readonly [string, string];
  before(async () => {
    folders = [await replayPriceCalculator('before', drover.home), await replayPriceCalculator('after', drover.home)];
  });

  it('is found by the doctor: function, file, line and remedy, for the reading and for the parsing', async () => {
    const { code, stdout } = await drover.run(['doctor', join(folders[0], '1.cpuprofile'), '--json', '--strict']);
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout) as {
      findings: { id: string; where: Place; remedy: { text: string; code: string } }[];
    };
    for (const id of ['json', 'sync-io']) {
      const finding = findings.find((one) => one.id === id);
      assert.ok(finding !== undefined, `${id} is found`);
      assert.equal(finding.where.name, 'priceOf');
      assert.match(finding.where.url, /price-calculator\/before\.mjs$/);
      assert.deepEqual([finding.where.line, finding.where.hotLine], [10, 11]);
      assert.match(finding.remedy.text, /once, when the program starts|keep the object/);
    }
  });

  it('stands first of its application in `cpu top`', async () => {
    const { stdout } = await drover.run(['cpu', 'top', join(folders[0], '1.cpuprofile'), '--json']);
    const { functions } = JSON.parse(stdout) as { functions: (Place & { selfMs: number; category: string })[] };
    const [first] = functions
      .filter(({ category }) => category === 'application')
      .toSorted((a, b) => b.selfMs - a.selfMs);
    assert.equal(first?.name, 'priceOf');
    assert.match(first.url, /price-calculator\/before\.mjs$/);
    assert.equal(first.line, 10);
  });

  it('has nothing to find once the list is read at the start', async () => {
    const { code, stdout } = await drover.run(['doctor', join(folders[1], '1.cpuprofile'), '--json', '--strict']);
    const { verdict, findings } = JSON.parse(stdout) as { verdict: string; findings: unknown[] };
    assert.deepEqual([code, verdict, findings], [0, 'healthy', []]);
  });

  describe('in the differential flame graph', { skip: chromiumMissing }, () => {
    let browser: Browser;
    before(async () => {
      browser = await launchChromium();
    });
    after(async () => browser.close());

    it('has a before and an after, with the function and its change', async () => {
      const file = join(drover.home, 'prices.html');
      const written = await drover.run(['cpu', 'flame', ...folders, '-o', file]);
      assert.equal(written.code, 0, written.stderr);
      await using opened = await openFile(browser, file);
      // Wide as they were before: what has gone is small in the version after.
      await opened.page.getByRole('button', { name: 'before', exact: true }).click();
      const row = opened.page.locator('.flame-table tbody tr', { hasText: /priceOf/ }).first();
      const cells = (await row.locator('td, th').allInnerTexts()).map((cell) => cell.trim());
      assert.match(cells.join(' | '), /priceOf/);
      const shares = cells.filter((cell) => /^[\d.]+\s*%$/.test(cell)).map((cell) => Number.parseFloat(cell));
      const [shareBefore = 0, shareAfter = Number.NaN] = shares;
      assert.ok(shareBefore > 20, `before: ${cells.join(' | ')}`);
      assert.ok(shareAfter < 5, `after: ${cells.join(' | ')}`);
      assert.match(cells.join(' | '), /−[\d.]+/);
      assert.deepEqual(opened.complaints, []);
    });
  });
});
