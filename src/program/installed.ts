/** Finds this very program: the package that the running code belongs to. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DAEMON_OPTIONS } from './options.ts';
import type { Installed } from './program.ts';
import { readCopy, type Copy } from './read-copy.ts';

/** Two levels up from a file of a room, built or as source, and from a bundle. */
const HERE = fileURLToPath(import.meta.url);
const ROOT = dirname(dirname(dirname(HERE)));

/** What the package was installed as, with the Node of this process. */
export const installedProgram = (): Installed => {
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

let own: Copy | Installed | null = null;

/**
 * The same for a process that may run from a copy, which says itself what it is. Read once: it stays what it was when its
 * files are removed under it.
 */
export const ownProgram = (): Copy | Installed => (own ??= readCopy(ROOT) ?? installedProgram());
