/** Bundles the agent and what it uses of `runtime` and `protocol` to the one file that workers preload. */
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const AGENT_FILE = join(ROOT, 'dist/agent/agent.cjs');

export async function bundleAgent(): Promise<void> {
  const bundle = await rolldown({
    input: join(ROOT, 'src/agent/index.ts'),
    platform: 'node',
    external: [/^node:/],
    transform: { target: 'node20' },
  });
  // Renamed into its place, because workers may be starting with the one before.
  const draft = `${AGENT_FILE}.${process.pid}`;
  await mkdir(dirname(AGENT_FILE), { recursive: true });
  try {
    await bundle.write({ file: draft, format: 'cjs', minify: true });
  } finally {
    await bundle.close();
  }
  await rename(draft, AGENT_FILE);
}

if (import.meta.main) await bundleAgent();
