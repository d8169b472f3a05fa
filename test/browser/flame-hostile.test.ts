/** Names that want to be more than names: a page shows them, and does nothing that they say. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { bundleView } from '../../scripts/bundle-view.ts';
import { readCpuProfile, renderFlameHtml } from '../../src/cpu/index.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';
import { chromiumMissing, launchChromium, openFile } from './support/chromium.ts';
import { drawn, framesOf, tipAt } from './support/flame.ts';

const DO_HARM = 'globalThis.harmed=1;document.title="harmed"';
const NAMES = [
  `</script><script>${DO_HARM}</script>`,
  `<img src=x onerror='${DO_HARM}'>`,
  `"><svg onload="${DO_HARM}">`,
  `<!--<script>`,
  `\u2028\u2029${DO_HARM}//`,
  `\${${DO_HARM}}`,
  `__proto__`,
  `'-'`,
  `\u202Egnp.exe`,
  'x'.repeat(200_000),
  '长'.repeat(3000),
  '',
];

describe('a flame graph of hostile names', { skip: chromiumMissing }, () => {
  let browser: Browser;
  let folder: TemporaryFolder;
  let file: string;

  before(async () => {
    await bundleView();
    folder = await temporaryFolder();
    const source = join(folder.path, 'hostile.cpuprofile');
    const nodes = NAMES.map((functionName, at) => ({
      id: at + 2,
      callFrame: {
        functionName,
        scriptId: '1',
        url: `file:///${functionName.slice(0, 300)}.js`,
        lineNumber: at,
        columnNumber: 0,
      },
      hitCount: 1,
    }));
    const root = {
      id: 1,
      callFrame: { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
      hitCount: 0,
      children: nodes.map(({ id }) => id),
    };
    const profile = {
      nodes: [root, ...nodes],
      startTime: 0,
      endTime: NAMES.length * 1000,
      samples: nodes.map(({ id }) => id),
      timeDeltas: nodes.map(() => 1000),
    };
    await writeFile(source, JSON.stringify(profile));
    file = join(folder.path, 'hostile.html');
    const windows = [{ profile: await readCpuProfile(source), launch: null }];
    const title = `${NAMES[0]} & ${NAMES[1]}`;
    await writeFile(file, renderFlameHtml(windows, null, { title, names: [title, title] }));
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await folder?.[Symbol.asyncDispose]();
  });

  it('shows them as text and runs nothing', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await drawn(page);
    for (const name of NAMES.slice(0, 6)) {
      const [frame] = await framesOf(page, name);
      assert.ok(frame !== undefined, name);
      const tip = await tipAt(page, frame.left + 4, frame.top + 9);
      assert.ok(tip?.startsWith(name.slice(0, 12)) || tip?.includes(name.slice(2, 12)), String(tip));
      await page.evaluate(`droverFlame.search(${JSON.stringify(name)})`);
    }
    for (const key of ['1', '2', '3', 'ArrowDown', 'ArrowDown', 'Enter', '0']) await page.keyboard.press(key);
    assert.equal(await page.evaluate('globalThis.harmed'), undefined);
    assert.equal(await page.title(), `${NAMES[0]} & ${NAMES[1]}`);
    assert.equal(await page.locator('img, svg, iframe').count(), 0);
    assert.deepEqual(opened.complaints, []);
  });

  it('would not run them even where an escape was forgotten', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(NAMES[1])})`);
    await eventually('the image was tried', async () => page.evaluate('document.querySelector("img").complete'));
    assert.equal(await page.evaluate('globalThis.harmed'), undefined);
    assert.match(opened.complaints.join('\n'), /Content Security Policy/);
  });
});
