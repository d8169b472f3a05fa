/**
 * Bundles `drover/app` as CommonJS, with the thread of `serveHealth` beside it, and makes the ECMAScript module and both kinds
 * of types around that. One copy for `import` and `require`: an app whose packages use both has one registry of checks,
 * one of metrics, and one way out.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'dist/app');

export const APP_FILE = join(FOLDER, 'index.cjs');

export async function bundleApp(): Promise<void> {
  // One by one: what both need is in both, and importing the library reads one file.
  await bundleEntry('index');
  await bundleEntry('health-thread');
  await writeModule();
  await writeTypes();
}

async function bundleEntry(name: string): Promise<void> {
  const bundle = await rolldown({
    input: { [name]: join(ROOT, 'src/app', `${name}.ts`) },
    platform: 'node',
    external: [/^node:/, /^[^./]/],
    transform: { target: 'node20' },
    // Modules of ours have no effect by being loaded: what an export does not need stays out.
    treeshake: { moduleSideEffects: false },
  });
  try {
    await bundle.write({ dir: FOLDER, format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false });
  } finally {
    await bundle.close();
  }
}

/** `import { ready } from 'drover/app'`, over the one bundle. */
async function writeModule(): Promise<void> {
  const names = Object.keys(createRequire(import.meta.url)(APP_FILE) as object).toSorted();
  const lines = ["import app from './index.cjs';", `export const { ${names.join(', ')} } = app;`];
  await writeFile(join(FOLDER, 'index.mjs'), `${lines.join('\n')}\n`);
}

/** Types for `require`: the compiler wants a declaration of the kind that is loaded. */
async function writeTypes(): Promise<void> {
  for (const file of await readdir(FOLDER)) {
    if (!file.endsWith('.d.ts')) continue;
    const text = await readFile(join(FOLDER, file), 'utf8');
    const own = text
      .replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.cts'")
      // What comes from other rooms are types alone, of ECMAScript modules.
      .replaceAll(
        /^import \{(.*) from '\.\.\//gm,
        (_, names: string) => `import type {${names.replaceAll('type ', '')} from '../`,
      )
      .replaceAll(/(from '\.\.\/[\w/-]+\.ts');/g, "$1 with { 'resolution-mode': 'import' };");
    await writeFile(
      join(FOLDER, file.replace(/\.d\.ts$/, '.d.cts')),
      own.replace(/\n?\/\/# sourceMappingURL.*\n?$/, '\n'),
    );
  }
}

if (import.meta.main) await bundleApp();
