/** A set of profiles from a file or a folder: which files, and of which launch each is. One profile is in memory at a time. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { BadFile } from '../../input/index.ts';
import { readCpuProfile, type ReadOptions } from '../read/read-cpu-profile.ts';
import { measureWindow, type ProfileWindow } from './window.ts';

/** Names that are taken for profiles in a folder. A file that is named itself is read whatever its name. */
const PROFILE_NAMES = /\.(?:cpuprofile|speedscope\.json|pb|pprof|collapsed|folded|perf|perf\.txt)(?:\.(?:gz|zst))?$/u;

/** As `node --cpu-prof` names them: `CPU.20261126.224310.1234.0.001.cpuprofile`, where 1234 is the process. */
const NODE_NAME = /^CPU\.\d{8}\.\d{6}\.(\d+)\.\d+\.\d+\.cpuprofile/u;

export interface ProfileFile {
  readonly path: string;
  /** Equal for windows of one launch, as far as names tell: the folder below the set's, and the process in Node's names. */
  readonly launch: string | null;
}

/**
 * The profiles at `path`: itself, where it is a file; where it is a folder, all below it, by name. Throws the file system's
 * errors, and `BadFile` for a folder without any profile.
 */
export async function listProfiles(path: string): Promise<ProfileFile[]> {
  if (!(await stat(path)).isDirectory()) return [{ path, launch: null }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && PROFILE_NAMES.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (files.length === 0)
    throw new BadFile({
      file: path,
      where: null,
      what: 'the folder has no CPU profile (a .cpuprofile, for example) in it',
    });
  return files.map((file) => {
    const parts = [relative(path, dirname(file)), NODE_NAME.exec(basename(file))?.[1] ?? ''].filter(
      (part) => part !== '',
    );
    return { path: file, launch: parts.length === 0 ? null : parts.join('/') };
  });
}

/** Reads and reduces the profiles, one after the other. `onFile` is called before each. */
export async function readWindows(
  files: readonly ProfileFile[],
  options: ReadOptions & { readonly onFile?: (path: string, index: number) => void } = {},
): Promise<ProfileWindow[]> {
  const { onFile, ...rest } = options;
  const windows: ProfileWindow[] = [];
  for (const [index, { path, launch }] of files.entries()) {
    onFile?.(path, index);
    windows.push(measureWindow(await readCpuProfile(path, rest), launch));
  }
  return windows;
}
