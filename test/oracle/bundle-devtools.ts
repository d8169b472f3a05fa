/**
 * Makes one program of the heap worker of Chrome DevTools, from the sources that the package `chrome-devtools-frontend`
 * carries. The package leaves out one generated file, a list of languages, which the worker does not use.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const SOURCES = join(import.meta.dirname, 'node_modules', 'chrome-devtools-frontend', 'front_end');
const ENTRY = join(SOURCES, 'entrypoints', 'heap_snapshot_worker', 'heap_snapshot_worker.ts');
const LOCALES = join(SOURCES, 'core', 'i18n', 'locales.js');

const NO_LOCALES = `
  export const LOCALES = [], BUNDLED_LOCALES = [];
  export const DEFAULT_LOCALE = 'en-US', REMOTE_FETCH_PATTERN = '', LOCAL_FETCH_PATTERN = '';
`;

/** Writes the bundle into `folder`; returns the path of its entry. */
export async function bundleDevTools(folder: string): Promise<string> {
  const bundle = await rolldown({
    input: ENTRY,
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
