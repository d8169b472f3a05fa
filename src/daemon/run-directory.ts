/** Where the daemon's sockets lie: in the home, or in the runtime directory while the home is mounted read-only. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isReadOnly, ownHome } from '../client/index.ts';

/** Wherever a daemon of this home may have had it. */
export const listRunDirectories = (home: string): readonly string[] => [
  join(home, 'run'),
  ownHome().runtimePath('run'),
];

/** Workers of other users have to get to their sockets. */
export const RUN_DIRECTORY_MODE = 0o711;

/** Makes it, and what is above it. */
export const openRunDirectory = (home: string): string => {
  const isFixed = isReadOnly(home);
  if (!isFixed) mkdirSync(home, { recursive: true, mode: 0o700 });
  const directory = isFixed ? ownHome().runtimePath('run') : join(home, 'run');
  mkdirSync(directory, { recursive: true, mode: RUN_DIRECTORY_MODE });
  return directory;
};
