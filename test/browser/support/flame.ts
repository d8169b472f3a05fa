/** What the tests of flame graphs ask a page: frames by name, tooltips, pixels. */
import type { Page } from 'playwright-core';

export interface Frame {
  readonly name: string;
  readonly depth: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly total: number;
  readonly self: number;
}

/** Frames of that name in the view as it is, CSS pixels from the corner of the canvas. */
export const framesOf = async (page: Page, name: string): Promise<Frame[]> =>
  page.evaluate(`droverFlame.frames(${JSON.stringify(name)})`);

export const canvasWidth = async (page: Page): Promise<number> =>
  page.evaluate('document.querySelector(".flame-canvas").clientWidth');

/** Waits until what was asked for has been drawn: drawing is done in the frame after. */
export const drawn = async (page: Page): Promise<void> => {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))');
};

/** Puts the pointer at a place of the canvas and says what the tooltip has; null where there is none. */
export const tipAt = async (page: Page, x: number, y: number): Promise<string | null> => {
  const box = await page.locator('.flame-canvas').boundingBox();
  await page.mouse.move((box?.x ?? 0) + x, (box?.y ?? 0) + y);
  const tip = page.locator('.flame-tip');
  return (await tip.isVisible()) ? tip.innerText() : null;
};

/** `#rrggbb` of what is drawn there. */
export const colourAt = async (page: Page, x: number, y: number): Promise<string> => {
  await drawn(page);
  return page.evaluate(`{
    const canvas = document.querySelector('.flame-canvas');
    const ratio = canvas.width / canvas.clientWidth;
    const place = [${x} * ratio, ${y} * ratio].map(Math.round);
    const [red, green, blue] = canvas.getContext('2d').getImageData(place[0], place[1], 1, 1).data;
    '#' + [red, green, blue].map((one) => one.toString(16).padStart(2, '0')).join('');
  }`);
};
