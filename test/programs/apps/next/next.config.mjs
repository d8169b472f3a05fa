import { join } from 'node:path';

// The packages are those of the folder above; without this, Next looks for the outermost lockfile.
const root = join(import.meta.dirname, '..', '..');
export default { outputFileTracingRoot: root, turbopack: { root } };
