/**
 * A daemon whose socket file is gone lives and cannot be reached: somebody has cleaned up, or removed the whole home. The
 * next command would even start a second one beside it. And one whose own program is gone from its home can start no
 * worker. Its log would be written without a name. So what it needs there is looked at once a second, and made again.
 */
import { existsSync } from 'node:fs';
import { makePlaceOf } from '../client/index.ts';

const LOOK_EVERY_MS = 1000;

export interface NeededFile {
  readonly path: string;
  /** Of its folder, should that be gone as well. */
  readonly mode: number;
  /** Where its existence is not enough. */
  readonly isThere?: () => boolean;
  readonly makeAgain: () => Promise<void>;
}

/** In this order. Returns what ends it. `onProblem` hears of a file that cannot be made again, once until it could. */
export const watchHome = (files: readonly NeededFile[], onProblem: (message: string) => void): (() => void) => {
  const broken = new Set<string>();
  const restore = async ({ path, mode, makeAgain }: NeededFile): Promise<void> => {
    try {
      makePlaceOf(path, mode);
      await makeAgain();
      broken.delete(path);
      onProblem(`${path} was gone and is there again`);
    } catch (error) {
      if (!broken.has(path)) onProblem(`${path} is gone and cannot be made again: ${String(error)}`);
      broken.add(path);
    }
  };
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    for (const file of files) if (!isThere(file)) await restore(file);
    isLooking = false;
  };
  const timer = setInterval(() => {
    if (!isLooking) void look();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};

const isThere = (file: NeededFile): boolean => {
  try {
    return file.isThere?.() ?? existsSync(file.path);
  } catch {
    // The folder is out of reach, perhaps for a moment; to make the file would fail as well, and say why.
    return false;
  }
};
