/** Bundles `drover/testing` once more as CommonJS, because jest loads tests by `require` unless it is told otherwise. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Beside the compiled modules: it starts the engine of the room `heap`, which stays what it is. */
export const TESTING_FILE = join(ROOT, 'dist/testing/index.cjs');

export async function bundleTesting(): Promise<void> {
  const bundle = await rolldown({
    input: join(ROOT, 'src/testing/index.ts'),
    platform: 'node',
    external: [/^node:/, /^[^./]/],
    transform: { target: 'node20' },
  });
  try {
    await bundle.write({ file: TESTING_FILE, format: 'cjs' });
  } finally {
    await bundle.close();
  }
}

if (import.meta.main) await bundleTesting();
