/**
 * The system's Chromium, without a network and without a screen. Pages are opened from the disk, as people open reports;
 * whatever a page says on its console, throws or asks for is kept, so that a test can say that there was nothing.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings on the console, exceptions, and requests for anything but the file itself. */
  readonly complaints: readonly string[];
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** Device pixels for each of CSS. */
  readonly deviceScaleFactor?: number;
}

/** Debian's command, wherever it is in PATH; null where it is not installed. */
export const findChromium = (): string | null =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'chromium'))
    .find((path) => existsSync(path)) ?? null;

/** What tests give as `skip`. */
export const chromiumMissing: string | false = findChromium() === null && 'chromium is not installed';

export const launchChromium = async (): Promise<Browser> =>
  // The tests may run as root, under which Chromium has no sandbox.
  chromium.launch({ executablePath: findChromium() ?? '', args: ['--no-sandbox', '--disable-gpu'] });

/** Opens a file in a context of its own that has no network. */
export const openFile = async (
  browser: Browser,
  path: string,
  { colorScheme = 'light', width = 1200, height = 900, deviceScaleFactor = 1 }: PageOptions = {},
): Promise<OpenPage> => {
  const context = await browser.newContext({
    offline: true,
    colorScheme,
    viewport: { width, height },
    deviceScaleFactor,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const url = pathToFileURL(path).href;
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: async () => context.close(),
  };
};
