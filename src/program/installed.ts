/** Finds this very program: the package that the running code belongs to. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DAEMON_OPTIONS } from './options.ts';
import type { Program } from './program.ts';
import { readCopy } from './read-copy.ts';

/** Two levels up from a file of a room, built or as source, and from a bundle. */
const HERE = fileURLToPath(import.meta.url);
const ROOT = dirname(dirname(dirname(HERE)));

/** What the package was installed as, with the Node of this process. */
export const installedProgram = (): Program => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const bundled = join(ROOT, 'dist/daemon-bundle/main.js');
  // A checkout that runs from its sources goes on with them.
  const isSource = extname(HERE) === '.ts' || !existsSync(bundled);
  return {
    version,
    root: ROOT,
    node: process.execPath,
    options: DAEMON_OPTIONS,
    main: isSource ? join(dirname(dirname(HERE)), `daemon/main${extname(HERE)}`) : bundled,
    isCopy: false,
  };
};

/** The same for a process that may run from a copy, which says itself what it is. */
export const ownProgram = (): Program => readCopy(ROOT) ?? installedProgram();
