/**
 * Packages that are needed at once when they are first used, where `import()` would make a plain call one that waits. What
 * may wait is imported dynamically instead, so that bundlers of apps see it.
 */
import { createRequire } from 'node:module';

let load: NodeJS.Require | null = null;

export function loadPackage(name: string): unknown {
  load ??= createRequire(import.meta.url);
  return load(name) as unknown;
}
