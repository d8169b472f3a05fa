/**
 * Bundles the command line, a file for each command and one for what they share: a command is run by a person who
 * waits, and a third of its time went into finding and reading a hundred small modules. CommonJS, which Node loads
 * faster. The daemon is not bundled: it starts once.
 *
 * The files lie as deep as those of a room (`dist/cli-bundle/`), so that what finds other files by its own place works
 * from both.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'dist/cli-bundle');

/** Says what the files beside it are, in a package of modules. */
const MANIFEST = 'package.json';

export const CLI_FILE = join(FOLDER, 'main.js');

export async function bundleCli(): Promise<void> {
  const bundle = await rolldown({
    input: join(ROOT, 'src/cli/main.ts'),
    platform: 'node',
    external: [/^node:/],
    transform: { target: 'node22' },
    // Rooms that do nothing when they are loaded: a command that needs one function has that one, and not the room.
    treeshake: { moduleSideEffects: (id) => !/\/src\/(?:program|os)\//.test(id) },
  });
  try {
    const { output } = await bundle.write({
      dir: FOLDER,
      format: 'cjs',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    });
    await writeFile(join(FOLDER, MANIFEST), '{ "type": "commonjs" }\n');
    const made = new Set([MANIFEST, ...output.map(({ fileName }) => fileName)]);
    // Commands may be running: what they have yet to load is only removed once the new files are there.
    const old = (await readdir(FOLDER)).filter((name) => !made.has(name));
    await Promise.all(old.map(async (name) => rm(join(FOLDER, name))));
  } finally {
    await bundle.close();
  }
}

if (import.meta.main) await bundleCli();
