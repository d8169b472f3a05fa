/** Bundles the browser's part of `view` to the one script that every flame graph page holds. */
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const VIEW_FILE = join(ROOT, 'dist/view-page/flame.js');

export async function bundleView(): Promise<void> {
  const bundle = await rolldown({
    input: join(ROOT, 'src/view/page/standalone.ts'),
    platform: 'browser',
    // What browsers of the last two or three years run.
    transform: { target: 'es2022' },
  });
  // Renamed into its place, because somebody may be making a page from the one before.
  const draft = `${VIEW_FILE}.${process.pid}`;
  await mkdir(dirname(VIEW_FILE), { recursive: true });
  try {
    await bundle.write({ file: draft, format: 'iife', minify: true });
  } finally {
    await bundle.close();
  }
  await rename(draft, VIEW_FILE);
}

if (import.meta.main) await bundleView();
