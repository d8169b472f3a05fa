/**
 * Makes one program of a part of Chrome DevTools (the heap worker, the model of CPU profiles), from the sources that the
 * package `chrome-devtools-frontend` carries. The package leaves out one generated file, a list of languages, which the worker does not use.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const SOURCES = join(import.meta.dirname, 'node_modules', 'chrome-devtools-frontend', 'front_end');
const ENTRIES = {
  heap: join(SOURCES, 'entrypoints', 'heap_snapshot_worker', 'heap_snapshot_worker.ts'),
  cpu: join(SOURCES, 'models', 'cpu_profile', 'cpu_profile.ts'),
} as const;
const LOCALES = join(SOURCES, 'core', 'i18n', 'locales.js');

const NO_LOCALES = `
  export const LOCALES = [], BUNDLED_LOCALES = [];
  export const DEFAULT_LOCALE = 'en-US', REMOTE_FETCH_PATTERN = '', LOCAL_FETCH_PATTERN = '';
`;

/** Writes the bundle into `folder`; returns the path of its entry. */
export async function bundleDevTools(folder: string, part: keyof typeof ENTRIES = 'heap'): Promise<string> {
  const bundle = await rolldown({
    input: ENTRIES[part],
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources-of-devtools',
        resolveId: (id, importer) =>
          // The sources name the `.js` that the compiler would make of a `.ts`.
          id.startsWith('.') && importer !== undefined ? resolve(dirname(importer), id) : null,
        load: async (id) => {
          if (id === LOCALES) return NO_LOCALES;
          const source = id.replace(/\.js$/, '.ts');
          if (source === id || existsSync(id) || !existsSync(source)) return null;
          return { code: await readFile(source, 'utf8'), moduleType: 'ts' };
        },
      },
    ],
  });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: 'devtools.mjs' });
  await bundle.close();
  return join(folder, 'devtools.mjs');
}
