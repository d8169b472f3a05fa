import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findConfigFile, loadJsonSchema, toAppName } from '../../config/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { renderTypes } from '../render/types.ts';

const renderConfig = (name: string, script: string): string => `import { defineConfig } from 'drover';

// Check it with \`drover config check\`, see what would change with \`drover apply --dry-run\`.
export default defineConfig({
  apps: {
    ${/^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`}: {
      script: '${script}', // or any other program: command: ['python3', 'app.py']
      instances: 1, // a number, or 'max' for one worker a CPU
      // port: 3000, // must listen before a worker is ready; PORT is set to it
      // node: '24', // looked for in PATH, nvm, fnm, volta, mise and node_modules
      // args: [], nodeArgs: [], cwd: '.',

      // Workers get these variables and PATH HOME USER LANG LC_* TZ TMPDIR, nothing else.
      env: { NODE_ENV: 'production' },
      // envFile: '.env', // read again whenever a worker starts
      // inheritEnv: ['AWS_REGION'], // from whoever starts it; true for everything

      // dependsOn: ['db'], // apps of this file that must be ready first
      ready: { timeout: '30s', stableFor: '2s' },
      restart: {
        policy: 'always', // or 'on-failure', 'never'
        backoff: { initial: '200ms', factor: 2, max: '30s' },
        crashLoop: { restarts: 5, within: '60s' },
      },
      drain: { timeout: '30s', idleGrace: '3s', websocket: { code: 1012, spread: '10s' } },
      surge: 'auto', // replacements that start at a time
      sticky: false, // keep each client address on one worker
    },
  },
});
`;

const GUESSES = [
  'server.js',
  'server.ts',
  'server.mjs',
  'index.js',
  'index.ts',
  'app.js',
  'src/server.ts',
  'src/index.ts',
];

/** True where the editor finds Drover's own types. */
const hasPackage = (directory: string): boolean => {
  try {
    createRequire(join(directory, 'package.json')).resolve('drover/package.json');
    return true;
  } catch {
    return false; // Installed globally: the editor needs types of its own.
  }
};

export const command = defineCommand<{ json?: boolean }>({
  args: [],
  options: [JSON_OPTION],
  details: 'Nothing is overwritten. The types are left out where the package `drover` is installed beside the file.',
  run: async (context, { options }) => {
    const { directory } = context;
    const existing = findConfigFile(directory);
    if (existing !== undefined) throw new DroverError('DROVER_USAGE', { message: `${existing} exists already.` });
    const script = GUESSES.find((name) => existsSync(join(directory, name))) ?? 'server.js';
    const files = [{ path: join(directory, 'drover.config.ts'), text: renderConfig(toAppName(directory), script) }];
    const types = join(directory, 'drover.d.ts');
    if (!hasPackage(directory) && !existsSync(types))
      files.push({ path: types, text: renderTypes(await loadJsonSchema()) });
    for (const { path, text } of files) writeFileSync(path, text, { flag: 'wx' });
    if (options.json) context.print(JSON.stringify({ files: files.map(({ path }) => path) }));
    else for (const { path } of files) context.print(`Wrote ${path}`);
    return 0;
  },
});
