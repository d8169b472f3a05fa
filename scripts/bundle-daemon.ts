/**
 * Bundles the daemon, and the programs that it starts itself, into a dozen files: a home has a copy of them
 * (docs/decisions/own-copy.md), and loading them takes half as long as three hundred small ones. Not minified, so that a
 * stack trace can be read; modules, as the daemon's own files are.
 *
 * The files lie as deep as those of a room (`dist/daemon-bundle/`), and programs that are found by their own place (what
 * compresses, what searches) beside them, so that what finds other files by its own place works from both.
 */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'dist/daemon-bundle');

export const DAEMON_FILE = join(FOLDER, 'main.js');

/** Whatever is started, or loaded by a thread, by the name of its file. */
export const PROGRAMS = ['daemon/begin', 'daemon/main', 'daemon/self-test', 'logs/compress-child', 'logs/grep-thread'];
export const SCRIPTS = ['guard.sh', 'boot-watch.sh'];

/**
 * Packages that ship only inside of the bundle: as dependencies they would take 28 MB (docs/decisions/opentelemetry.md).
 * Their licence goes along.
 */
export const BUNDLED_PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/api-logs',
  '@opentelemetry/core',
  '@opentelemetry/exporter-logs-otlp-proto',
  '@opentelemetry/exporter-metrics-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-logs',
  '@opentelemetry/sdk-metrics',
];
const LICENCE = { from: 'node_modules/@opentelemetry/api/LICENSE', to: 'LICENSE.opentelemetry.txt' };

const nameOf = (path: string): string => path.slice(path.indexOf('/') + 1);

export async function bundleDaemon(): Promise<void> {
  const bundle = await rolldown({
    input: Object.fromEntries(PROGRAMS.map((path) => [nameOf(path), join(ROOT, `src/${path}.ts`)])),
    platform: 'node',
    external: [/^node:/, 'koffi'],
    transform: { target: 'node22' },
  });
  try {
    await mkdir(FOLDER, { recursive: true });
    const { output } = await bundle.write({
      dir: FOLDER,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    });
    for (const script of SCRIPTS) await copyFile(join(ROOT, 'src/daemon', script), join(FOLDER, script));
    await copyFile(join(ROOT, LICENCE.from), join(FOLDER, LICENCE.to));
    const made = new Set([...SCRIPTS, LICENCE.to, ...output.map(({ fileName }) => fileName)]);
    // A daemon may run from here: what it has yet to load is only removed once the new files are there.
    const old = (await readdir(FOLDER)).filter((name) => !made.has(name));
    await Promise.all(old.map(async (name) => rm(join(FOLDER, name))));
  } finally {
    await bundle.close();
  }
}

if (import.meta.main) await bundleDaemon();
