/**
 * `npm run build`, and `prepare` during `npm ci`: compiles every room into `dist/`, then bundles the agent into the one
 * file that is preloaded into workers, the command line and the daemon into a few that load quickly, and the script of flame graphs. Fails loudly; a half-built
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
for (const script of ['guard.sh', 'boot-watch.sh'])
  await copyFile(join(ROOT, 'src', 'daemon', script), join(ROOT, 'dist', 'daemon', script));

// Imported late: the bundler is only needed, and only loaded, once the types are right.
const { AGENT_FILE, bundleAgent } = await import('./bundle-agent.ts');
const { APP_FILE, bundleApp } = await import('./bundle-app.ts');
const { CLI_FILE, bundleCli } = await import('./bundle-cli.ts');
const { DAEMON_FILE, bundleDaemon } = await import('./bundle-daemon.ts');
const { bundleTesting, TESTING_FILE } = await import('./bundle-testing.ts');
const { VIEW_FILE, bundleView } = await import('./bundle-view.ts');
await bundleAgent();
await bundleApp();
await bundleCli();
await bundleDaemon();
await bundleTesting();
await bundleView();
for (const file of [AGENT_FILE, APP_FILE, CLI_FILE, DAEMON_FILE, TESTING_FILE, VIEW_FILE]) await access(file);
