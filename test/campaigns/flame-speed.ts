/**
 * What a frame costs while a flame graph of 100,000 frames is zoomed and moved in Chromium, by wheel and drag as the
 * browser gets them from a mouse. Work is what the main thread does between two frames of the screen, from Chromium's
 * trace: input, our update and drawing, layout, paint and commit. There is no graphics card in it: canvases are drawn by
 * the processor. Beside it speedscope on the same file, with the same moves; it draws by WebGL, which SwiftShader emulates
 * in another process, so that the main threads can be compared and the rest is told apart.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Campaign, type CampaignRun, fixed } from '../../bench/campaign.ts';
import { bundleView } from '../../scripts/bundle-view.ts';
import { readCpuProfile, renderFlameHtml } from '../../src/cpu/index.ts';
import { findChromium } from '../browser/support/chromium.ts';
import { installPackage } from '../provisions.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { callsAtRandom, gridOfCalls, type RawProfile } from './flame-graphs.ts';
import { type FrameWork, measureFrames, type Spread, spreadOf, TRACE_CATEGORIES } from './flame-trace.ts';

const FRAMES = 100_000;
const WORK_LIMIT_MS = 12;
const BENCH = join(import.meta.dirname, '../../bench');
const SHAPES: Readonly<Record<string, () => RawProfile>> = {
  calls: () => callsAtRandom(FRAMES, 7),
  grid: () => gridOfCalls(FRAMES, 50),
};
const VIEWS = ['left-heavy', 'time', 'callers'] as const;

/** A machine without a graphics card may take seconds for a frame of WebGL. */
const LONGEST_MS = 120_000;

interface Moves {
  readonly selector: string;
  /** Held while the wheel is to zoom, where it zooms only with it. */
  readonly key: string | null;
  readonly rounds: number;
  /** Of a drag; a third of it are notches of the wheel. */
  readonly steps: number;
}

interface Measured {
  readonly work: FrameWork;
  /** Of our own code for a frame; null for others. By the clock. */
  readonly drawMs: Spread | null;
  /** One-minute load of the machine before. */
  readonly load: number;
}

export const flameSpeed: Campaign = {
  name: 'flame-speed',
  shows: `a flame graph of 100,000 frames pans and zooms with at most ${WORK_LIMIT_MS} ms of work a frame (p95)`,
  run: async (run) => {
    if (findChromium() === null) return run.broken('Chromium is there', 'chromium is not installed');
    await bundleView();
    await using folder = await temporaryFolder();
    const rows: (readonly (string | number)[])[] = [];
    for (const shape of Object.keys(SHAPES)) {
      const profile = join(folder.path, `${shape}.cpuprofile`);
      await writeFile(profile, JSON.stringify(SHAPES[shape]?.()));
      for (const view of run.isSmall ? VIEWS.slice(0, 1) : VIEWS) {
        const found = await run.row(`${shape}, ${view}`, async () => measureOurs(profile, view, run.isSmall));
        rows.push(rowOf(`${shape}, ${view}`, found));
        const { cpuMs, wallMs, frames } = found.work;
        run.check(`${shape}, ${view}: frames were drawn`, frames > 30, `${frames}`);
        run.bound(`${shape}, ${view}: work of a frame, processor time`, cpuMs.p95 <= WORK_LIMIT_MS, told(cpuMs));
        run.bound(`${shape}, ${view}: work of a frame, by the clock`, wallMs.p95 <= WORK_LIMIT_MS, told(wallMs));
      }
      if (run.isSmall) continue;
      installPackage(BENCH, 'bench', (line) => run.say(line));
      try {
        const theirs = await run.row(`${shape}, speedscope`, async () => measureSpeedscope(profile, folder.path));
        rows.push(rowOf(`${shape}, speedscope left heavy`, theirs));
      } catch (error) {
        // It is there for comparison: without a graphics card and with a busy processor it may not get to its first frame.
        run.say(
          `speedscope could not be measured on ${shape}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    run.table(['what', 'frames', 'CPU p50', 'CPU p95', 'clock p95', 'own code p95', 'all threads', 'load'], rows);
    sayHow(run);
  },
};

const told = ({ p50, p95, most }: Spread): string => `${fixed(p95)} ms at p95 (p50 ${fixed(p50)}, most ${fixed(most)})`;

const rowOf = (what: string, { work, drawMs, load }: Measured): (string | number)[] => [
  what,
  work.frames,
  fixed(work.cpuMs.p50),
  fixed(work.cpuMs.p95),
  fixed(work.wallMs.p95),
  drawMs === null ? '–' : fixed(drawMs.p95),
  fixed(work.allThreadsMs),
  fixed(load),
];

function sayHow(run: CampaignRun): void {
  run.say(
    'ms a frame of the main thread; "own code" is update and draw by the clock; "all threads" is the mean processor',
  );
  run.say('time a frame in all processes. By the clock counts what other programs took: see the load.');
}

async function measureOurs(profile: string, view: (typeof VIEWS)[number], isSmall: boolean): Promise<Measured> {
  const windows = [{ profile: await readCpuProfile(profile), launch: null }];
  const html = profile.replace('.cpuprofile', '.html');
  await writeFile(html, renderFlameHtml(windows, null, { title: basename(profile), names: ['', basename(profile)] }));
  await using opened = await open(html, ['--disable-gpu']);
  const { browser, page } = opened;
  await page.evaluate(`droverFlame.showView('${view}')`);
  await page.evaluate(`globalThis.draws = [];
    new PerformanceObserver((list) => draws.push(...list.getEntriesByName('flame-draw').map(({ duration }) => duration)))
      .observe({ type: 'measure' })`);
  const [load = 0] = loadavg();
  const work = await traceMoves(browser, page, {
    selector: '.flame-canvas',
    key: null,
    rounds: isSmall ? 1 : 2,
    steps: 120,
  });
  return { work, drawMs: spreadOf(await page.evaluate('draws')), load };
}

async function measureSpeedscope(profile: string, folder: string): Promise<Measured> {
  const source = (await readFile(profile)).toString('base64');
  // As its command line does it.
  const loader = join(folder, 'speedscope-profile.js');
  await writeFile(loader, `speedscope.loadFileFromBase64(${JSON.stringify(basename(profile))}, "${source}")`);
  const page = join(BENCH, 'node_modules/speedscope/dist/release/index.html');
  await using opened = await open(
    page,
    ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    `#localProfilePath=${loader}`,
  );
  // Before a profile is loaded there is one.
  await opened.page.waitForFunction('document.querySelectorAll("canvas").length >= 3', null, { timeout: LONGEST_MS });
  await opened.page.keyboard.press('2');
  const [load = 0] = loadavg();
  // The canvas for WebGL lies under everything; the chart is where it is, below the minimap.
  const work = await traceMoves(opened.browser, opened.page, {
    selector: 'body',
    key: 'Control',
    rounds: 1,
    steps: 30,
  });
  return { work, drawMs: null, load };
}

interface Opened extends AsyncDisposable {
  readonly browser: Browser;
  readonly page: Page;
}

async function open(file: string, args: readonly string[], hash = ''): Promise<Opened> {
  const executablePath = findChromium() ?? '';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', ...args] });
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  await page.goto(pathToFileURL(file).href + hash, { timeout: LONGEST_MS });
  return { browser, page, [Symbol.asyncDispose]: async () => browser.close() };
}

/** Zooms in and out around a place and moves about; ends early where that takes too long. */
async function traceMoves(browser: Browser, page: Page, { selector, key, rounds, steps }: Moves): Promise<FrameWork> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not to be seen`);
  const [x, y] = [box.x + box.width * 0.45, box.y + Math.min(box.height, 900) * 0.5];
  await page.mouse.move(x, y);
  const end = performance.now() + LONGEST_MS;
  const repeat = async (times: number, move: (time: number) => Promise<void>): Promise<void> => {
    for (let time = 0; time < times && performance.now() < end; time += 1) await move(time);
  };
  const wheel = async (notches: number, each: number): Promise<void> => {
    if (key !== null) await page.keyboard.down(key);
    await repeat(notches, async () => page.mouse.wheel(0, each));
    if (key !== null) await page.keyboard.up(key);
  };
  await browser.startTracing(page, { categories: TRACE_CATEGORIES });
  await repeat(rounds, async (round) => {
    await wheel(steps / 3, -100);
    await wheel(steps / 3, 100);
    // Frames of some pixels, so that there is much to draw and many names.
    await wheel(Math.min(steps / 3, 12 + 8 * round), -100);
    await page.mouse.down();
    await repeat(steps, async (step) => page.mouse.move(x + 400 * Math.sin(step / 9), y + 200 * Math.sin(step / 6)));
    await page.mouse.up();
    await page.mouse.move(x, y);
    await wheel(steps / 3, 100);
  });
  return measureFrames((await browser.stopTracing()).toString());
}
