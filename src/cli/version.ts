import { readFileSync } from 'node:fs';

/** The version of this Drover, from its package.json (two levels up, in `src/` and in `dist/`). */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};
