/**
 * The Nodes that the agent is tested under: the running one, and those of the packages `node20`, `node22` and `node26`
 * where they are installed (aliases of the `node` package).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface TestNode {
  readonly name: string;
  readonly path: string;
}

const PACKAGES = ['node20', 'node22', 'node26'];

export function listNodes(): TestNode[] {
  const modules = join(import.meta.dirname, '..', '..', 'node_modules');
  const others = PACKAGES.map((name) => ({ name, path: join(modules, name, 'bin', 'node') }));
  // For a machine that has other Nodes elsewhere: absolute paths with colons between them.
  const named = (process.env['DROVER_TEST_NODES'] ?? '').split(':').filter(Boolean);
  return [
    { name: `node ${process.versions.node}`, path: process.execPath },
    ...others,
    ...named.map((path) => ({ name: path, path })),
  ].filter(({ path }) => existsSync(path));
}
