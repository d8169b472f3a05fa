/** One Drover that a daemon can be started from: where it was installed, or a copy of that under a home. */
import { accessSync, constants } from 'node:fs';

export interface Program {
  readonly version: string;
  /** Folder of the package. */
  readonly root: string;
  /** The Node that runs it, and its options. */
  readonly node: string;
  readonly options: readonly string[];
  /** The daemon's file. */
  readonly main: string;
  /** Under a home; else where it was installed. */
  readonly isCopy: boolean;
}

/** Where a package manager put it. */
export interface Installed extends Program {
  readonly isCopy: false;
}

/** Program and arguments of its daemon. */
export const commandOf = ({ node, options, main }: Program): readonly [string, ...string[]] => [node, ...options, main];

/**
 * What its daemon is started with. glibc gives threads heaps of their own, up to eight for each core, and what is free in
 * one is of no use to the others: those of V8's threads grew by 0.2 MB a minute in a soak, to 6 MB. They are there before
 * the first line of a program is, so that it cannot ask for this itself. Workers do not have the daemon's environment.
 */
export const DAEMON_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;

/** The same files and the same Node: a copy is named after both. */
export const isSameProgram = (a: Program, b: Program): boolean => a.main === b.main && a.node === b.node;

/** Its files are there, and it may be executed. */
export const isUsable = ({ node, main }: Program): boolean => {
  try {
    accessSync(node, constants.X_OK);
    accessSync(main, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};
