/** The flame graph as people open it: a real profile of a real program, from the disk, without a network. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { bundleView } from '../../scripts/bundle-view.ts';
import { type CpuProfile, listTotals, readCpuProfile, type Total } from '../../src/cpu/index.ts';
import { formatQuantity } from '../../src/view/flame/quantity.ts';
import { type CommandResult, type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { chromiumMissing, launchChromium, openFile } from './support/chromium.ts';
import { canvasWidth, colourAt, drawn, type Frame, framesOf, tipAt } from './support/flame.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'spends-its-time.mjs');
const MIDDLE_OF_ROW = 9;
const TRANSPARENT = '#000000';

const sumOf = (frames: readonly Frame[], key: 'width' | 'total'): number =>
  frames.reduce((sum, frame) => sum + frame[key], 0);

/** Frames that are in no other one of these: recursion counts once. */
const outermost = (frames: readonly Frame[]): Frame[] =>
  frames.filter(
    (frame) =>
      !frames.some(
        (other) =>
          other.depth < frame.depth &&
          other.left <= frame.left + 0.01 &&
          other.left + other.width >= frame.left + frame.width - 0.01,
      ),
  );

describe('a flame graph', { skip: chromiumMissing }, () => {
  let browser: Browser;
  let drover: Drover;
  let result: CommandResult;
  let file: string;
  let profile: CpuProfile;
  let totals: readonly Total[];
  /** Microseconds that anything ran. */
  let busyUs: number;

  before(async () => {
    await bundleView();
    drover = await openDrover();
    const flags = [
      '--cpu-prof',
      '--cpu-prof-interval=500',
      `--cpu-prof-dir=${drover.home}`,
      '--cpu-prof-name=app.cpuprofile',
    ];
    execFileSync(process.execPath, [...flags, PROGRAM]);
    result = await drover.run(['cpu', 'flame', join(drover.home, 'app.cpuprofile'), '--json'], { cwd: drover.home });
    file = join(drover.home, 'app.flame.html');
    profile = await readCpuProfile(join(drover.home, 'app.cpuprofile'));
    totals = listTotals(profile);
    busyUs = totals.reduce((sum, { selfUs, functionIndex }) => sum + (isIdle(functionIndex) ? 0 : selfUs), 0);
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await drover?.[Symbol.asyncDispose]();
  });

  const isIdle = (functionIndex: number | null): boolean => profile.functions[functionIndex ?? -1]?.category === 'idle';
  const modelOf = (name: string): Total => {
    const found = totals.find((total) => total.name === name);
    assert.ok(found !== undefined, `the profile has no ${name}`);
    return found;
  };
  /** Its frames in the view are as wide as the model says, and the pointer finds it from edge to edge. */
  const checkWidth = async (page: Page, frames: readonly Frame[], us: number, wholeUs: number): Promise<void> => {
    const width = await canvasWidth(page);
    const expected = (us / wholeUs) * width;
    assert.ok(Math.abs(sumOf(frames, 'width') - expected) < 0.5, `${sumOf(frames, 'width')} px, not ${expected}`);
    const [widest] = frames.toSorted((a, b) => b.width - a.width);
    assert.ok(widest !== undefined && widest.width > 20);
    const y = widest.top + MIDDLE_OF_ROW;
    for (const x of [widest.left + 1.5, widest.left + widest.width - 1.5])
      assert.match((await tipAt(page, x, y)) ?? '', new RegExp(`^${widest.name}\\n`));
    // As wide on the canvas as it is to the pointer: one colour, up to the line that ends it, through which the page is seen.
    const colour = await colourAt(page, widest.left + 1.5, widest.top + 2);
    const end = Math.round(widest.left + widest.width);
    assert.equal(await colourAt(page, end - 2, widest.top + 2), colour);
    if (end < width) assert.equal(await colourAt(page, end - 1, widest.top + 2), TRANSPARENT);
  };

  it('is written by the command, which tells where', () => {
    assert.equal(result.code, 0, result.stderr);
    assert.equal((JSON.parse(result.stdout) as { path: string }).path, file);
  });

  for (const [colorScheme, page, frame] of [
    ['light', 'rgb(255, 255, 255)', ['#e69f00', '#d69400']],
    ['dark', 'rgb(22, 25, 29)', ['#c98a00', '#bb8000']],
  ] as const)
    it(`opens offline in a ${colorScheme} system without a complaint, in colours of that theme`, async () => {
      await using opened = await openFile(browser, file, { colorScheme });
      await drawn(opened.page);
      assert.equal(await opened.page.evaluate('getComputedStyle(document.body).backgroundColor'), page);
      const [spend] = await framesOf(opened.page, 'spend');
      const colour = await colourAt(opened.page, (spend?.left ?? 0) + 2, (spend?.top ?? 0) + 2);
      assert.ok(
        frame.some((expected) => expected === colour),
        colour,
      );
      assert.deepEqual(opened.complaints, []);
    });

  it('has each function as wide as the model says, left heavy', async () => {
    await using opened = await openFile(browser, file);
    for (const name of ['answerOne', 'parseOrders', 'descend']) {
      const frames = outermost(await framesOf(opened.page, name));
      await checkWidth(opened.page, frames, modelOf(name).totalUs, busyUs);
    }
    assert.equal((await framesOf(opened.page, 'descend')).length >= 13, true);
  });

  it('has each function as wide as its own time, inverted, and its callers below it', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await page.getByRole('button', { name: 'Inverted' }).click();
    const first = (await framesOf(page, 'sumDigits')).filter(({ depth }) => depth === 1);
    await checkWidth(page, first, modelOf('sumDigits').selfUs, busyUs);
    const callers = [...(await framesOf(page, 'answerOne')), ...(await framesOf(page, 'descend'))].filter(
      ({ depth, left }) => depth === 2 && left >= (first[0]?.left ?? 0) - 0.01,
    );
    const below = callers.filter(({ left }) => left < (first[0]?.left ?? 0) + (first[0]?.width ?? 0));
    assert.ok(Math.abs(sumOf(below, 'width') - (first[0]?.width ?? 0)) < 1);
  });

  it('has each function where it ran, chronologically, with idle time as a gap', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    await page.keyboard.press('2');
    const frames = await framesOf(page, 'spend');
    await checkWidth(page, frames, modelOf('spend').totalUs, profile.durationUs);
    // Before and after the wait, which takes more than 150 ms.
    const [one, other] = [frames[0], frames.at(-1)];
    const gap = ((other?.left ?? 0) - (one?.left ?? 0) - (one?.width ?? 0)) / (await canvasWidth(page));
    assert.ok(gap * profile.durationUs > 140_000, `${gap}`);
  });

  it('says in the tooltip where a function is and what it takes', async () => {
    await using opened = await openFile(browser, file);
    const [frame] = await framesOf(opened.page, 'parseOrders');
    const tip = (await tipAt(opened.page, (frame?.left ?? 0) + 3, (frame?.top ?? 0) + MIDDLE_OF_ROW)) ?? '';
    const known = profile.functions[modelOf('parseOrders').functionIndex ?? -1];
    assert.ok(tip.includes(`spends-its-time.mjs:${known?.line}:${known?.column}`), tip);
    const share = (modelOf('parseOrders').selfUs / busyUs) * 100;
    assert.ok(tip.includes(`itself ${formatQuantity(modelOf('parseOrders').selfUs, 'microseconds')} `), tip);
    assert.ok(tip.includes(`(${share.toFixed(share < 10 ? 2 : 1)} %)`), tip);
  });

  it('finds by text and by expression, says the share, and dims the rest', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const [spend] = await framesOf(page, 'spend');
    const place = [(spend?.left ?? 0) + 2, (spend?.top ?? 0) + 2] as const;
    const plain = await colourAt(page, ...place);
    await page.keyboard.press('/');
    await page.keyboard.type('/^(parseOrders|sumDigits)$/');
    // Neither calls the other.
    const share = ((modelOf('parseOrders').totalUs + modelOf('sumDigits').totalUs) / busyUs) * 100;
    assert.ok(
      (await page.innerText('.flame-found')).startsWith(`${share.toFixed(1)} % in `),
      await page.innerText('.flame-found'),
    );
    assert.notEqual(await colourAt(page, ...place), plain);
    await page.keyboard.press('Enter');
    assert.match(await page.innerText('.flame-status'), /^(parseOrders|sumDigits) · /);
    await page.keyboard.press('Escape');
    assert.equal(await page.innerText('.flame-found'), '');
    assert.equal(await colourAt(page, ...place), plain);
    await page.evaluate('droverFlame.search("/(/")');
    assert.match(await page.innerText('.flame-found'), /Unterminated group/);
  });

  it('is walked and zoomed by keyboard, and says aloud where one is', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    assert.equal(await page.evaluate('document.activeElement.className'), 'flame-canvas');
    await page.keyboard.press('ArrowDown');
    assert.match(await page.innerText('.flame-live'), /^\(root\) · /);
    await page.keyboard.press('/');
    await page.keyboard.type('answerOne');
    await page.keyboard.press('Enter');
    await page.evaluate('droverFlame.canvas.focus()');
    await page.keyboard.press('Enter');
    await drawn(page);
    const width = await canvasWidth(page);
    const [zoomed] = outermost(await framesOf(page, 'answerOne'));
    assert.ok(Math.abs(zoomed?.left ?? 9) < 0.01 && Math.abs((zoomed?.width ?? 0) - width) < 0.01);
    await page.keyboard.press('ArrowDown');
    assert.match(await page.innerText('.flame-live'), /^(parseOrders|sumDigits) · /);
    await page.keyboard.press('s');
    const [further] = outermost(await framesOf(page, 'answerOne'));
    assert.ok(Math.abs((further?.width ?? 0) - width * 0.8) < 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    const [whole] = await framesOf(page, '(root)');
    assert.ok(Math.abs((whole?.width ?? 0) - width) < 0.01);
  });

  it('is zoomed by wheel around the pointer, moved by drag, and chosen by click', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const box = (await page.locator('.flame-canvas').boundingBox()) ?? { x: 0, y: 0 };
    const rightOf = async (): Promise<number> => {
      const [frame] = await framesOf(page, 'spend');
      return (frame?.left ?? 0) + (frame?.width ?? 0);
    };
    const edge = await rightOf();
    // A pointer is at whole pixels.
    const x = Math.round(edge);
    await page.mouse.move(box.x + x, box.y + 60);
    await page.mouse.wheel(0, -400);
    const width = await canvasWidth(page);
    // The page hears of the wheel later than the test.
    const zoom = await eventually('the wheel has zoomed', async () => {
      const [root] = await framesOf(page, '(root)');
      return root !== undefined && root.width > 1.7 * width && root.width / width;
    });
    const zoomed = x + (edge - x) * zoom;
    assert.ok(Math.abs((await rightOf()) - zoomed) < 0.5, `${await rightOf()}, not ${zoomed}`);
    await page.mouse.down();
    await page.mouse.move(box.x + x - 100, box.y + 60, { steps: 4 });
    await page.mouse.up();
    assert.ok(Math.abs((await rightOf()) - (zoomed - 100)) < 0.5);
    const [spend] = await framesOf(page, 'spend');
    await page.mouse.click(box.x + x - 110, box.y + (spend?.top ?? 0) + MIDDLE_OF_ROW);
    assert.match(await page.innerText('.flame-status'), /^spend · /);
  });

  it('is zoomed by two fingers', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const box = (await page.locator('.flame-canvas').boundingBox()) ?? { x: 0, y: 0 };
    const client = await page.context().newCDPSession(page);
    const touch = async (type: 'touchStart' | 'touchMove' | 'touchEnd', xs: readonly number[]): Promise<void> => {
      const touchPoints = xs.map((x, id) => ({ x: box.x + x, y: box.y + 80, id }));
      await client.send('Input.dispatchTouchEvent', { type, touchPoints });
    };
    await touch('touchStart', [400, 600]);
    for (const spread of [20, 40, 60, 80, 100]) await touch('touchMove', [400 - spread, 600 + spread]);
    await touch('touchEnd', []);
    await drawn(page);
    const [root] = await framesOf(page, '(root)');
    // The fingers were 200 apart and are 400 apart.
    assert.ok(Math.abs((root?.width ?? 0) / (await canvasWidth(page)) - 2) < 0.05, String(root?.width));
  });

  it('lists what is in sight in a table, and leads from there to the frame', async () => {
    await using opened = await openFile(browser, file);
    const { page } = opened;
    const row = page.locator('.flame-table tbody tr', { hasText: 'sumDigits' });
    const share = ((modelOf('sumDigits').selfUs / busyUs) * 100).toFixed(1);
    assert.ok((await row.locator('td').nth(1).innerText()).endsWith(`· ${share} %`));
    await row.getByRole('button').click();
    assert.match(await page.innerText('.flame-status'), /^sumDigits · /);
    await page.keyboard.press('Enter');
    await page.locator('.flame-table caption', { hasNotText: '100.0 %' }).waitFor();
    const names = await page.locator('.flame-table tbody th').allInnerTexts();
    assert.ok(names.includes('sumDigits') && !names.includes('parseOrders'), names.join());
  });

  it('is sharp on dense screens and follows the size of the window', async () => {
    await using opened = await openFile(browser, file, { deviceScaleFactor: 2 });
    const { page } = opened;
    const ratio = async (): Promise<number> =>
      page.evaluate('droverFlame.canvas.width / droverFlame.canvas.clientWidth');
    assert.equal(await ratio(), 2);
    await page.setViewportSize({ width: 700, height: 500 });
    await drawn(page);
    assert.equal(await ratio(), 2);
    const width = await canvasWidth(page);
    assert.ok(width < 700);
    const [root] = await framesOf(page, '(root)');
    assert.ok(Math.abs((root?.width ?? 0) - width) < 0.01);
    const [spend] = await framesOf(page, 'spend');
    assert.equal(
      await colourAt(page, (spend?.left ?? 0) + 2, (spend?.top ?? 0) + 2).then((colour) => colour !== '#000000'),
      true,
    );
  });
});
