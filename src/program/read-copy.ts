/** What a copy says of itself: `program.json`, the last file that is written into it. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Program } from './program.ts';

export const COPY_FILE = 'program.json';

/** Relative paths, so that a home can be moved. */
export interface CopyFile {
  readonly version: string;
  readonly options: readonly string[];
  readonly main: string;
  readonly node: string;
  /** Where it was copied from. */
  readonly installedAt: string;
  /** The Node that `node` is another name of. */
  readonly nodeAt: string;
  /** The boot in which it was made: a machine that lost its power meanwhile may have lost parts of it. */
  readonly bootId: string;
  /** It is on the disk for certain. */
  readonly isSynced: boolean;
}

export interface Copy extends Program, Pick<CopyFile, 'installedAt' | 'nodeAt'> {
  readonly isCopy: true;
}

/** Null where there is no whole copy, or one that a power failure may have torn. */
export const readCopy = (root: string): Copy | null => {
  try {
    const file = JSON.parse(readFileSync(join(root, COPY_FILE), 'utf8')) as CopyFile;
    if (!file.isSynced && file.bootId !== currentBoot()) return null;
    const { version, options, installedAt, nodeAt } = file;
    const [main, node] = [join(root, file.main), join(root, file.node)];
    return { version, root, node, options, main, isCopy: true, installedAt, nodeAt };
  } catch {
    return null;
  }
};

/** Empty where the system does not tell; then nothing can be known. */
export const currentBoot = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
};

/** What a copy was made from. */
export const originOf = ({ root, main, installedAt, nodeAt }: Copy): Pick<Program, 'root' | 'node' | 'main'> => ({
  root: installedAt,
  node: nodeAt,
  main: join(installedAt, relative(root, main)),
});
