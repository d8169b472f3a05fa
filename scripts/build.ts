/**
 * `npm run build`, and `prepare` during `npm ci`: compiles every room into `dist/`, then bundles the agent into the one
 * file that is preloaded into workers, and the command line into a few that load quickly. Fails loudly; a half-built
 * `dist/` must never look like a whole one.
 */
import { access, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, runTool } from './commands.ts';

const compiled = await runTool('tsc', ['-b', join(ROOT, 'tsconfig.json')]);
if (compiled.code !== 0) {
  process.stderr.write(compiled.output);
  process.stderr.write(`build: tsc ended with ${compiled.code}\n`);
  process.exit(1);
}

// What the compiler does not carry over.
await copyFile(join(ROOT, 'src', 'daemon', 'guard.sh'), join(ROOT, 'dist', 'daemon', 'guard.sh'));

// Imported late: the bundler is only needed, and only loaded, once the types are right.
const { AGENT_FILE, bundleAgent } = await import('./bundle-agent.ts');
const { CLI_FILE, bundleCli } = await import('./bundle-cli.ts');
await bundleAgent();
await bundleCli();
await access(AGENT_FILE);
await access(CLI_FILE);
