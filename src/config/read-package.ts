/** The package that a directory belongs to, and the binaries that its dependencies brought. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Package {
  readonly directory: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
}

/** The nearest package.json from `cwd` upwards, with what matters here; null when there is none that can be read. */
export const readPackage = (cwd: string): Package | null => {
  for (const directory of ancestors(cwd)) {
    let text: string;
    try {
      text = readFileSync(join(directory, 'package.json'), 'utf8');
    } catch {
      continue; // Not here: look further up.
    }
    try {
      const content: unknown = JSON.parse(text);
      const { name, version, main, scripts } = content as Record<string, unknown>;
      const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
      const entries = Object.entries((scripts ?? {}) as Record<string, unknown>);
      return {
        directory,
        name: textOf(name),
        version: textOf(version),
        main: textOf(main),
        scripts: Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
      };
    } catch {
      return null; // Not JSON, or not an object: npm would refuse it too.
    }
  }
  return null;
};

const ancestors = function* (from: string): Generator<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
};

/** Where npm would find a binary of that name from `cwd`; null when nobody brought one. */
export const findBinary = (name: string, cwd: string): string | null => {
  for (const directory of ancestors(cwd)) {
    const path = join(directory, 'node_modules', '.bin', name);
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  }
  return null;
};
