import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The version of this Drover, from its package.json (two levels up, in `src/` and in `dist/`). */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};

/** The command itself, `bin/drover` (found in the same way). */
export const findCommandFile = (): string => fileURLToPath(new URL('../../bin/drover', import.meta.url));
