/** Whether the file system that logs are on can free a part of a file: tried once, on a file of our own. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Punch } from './rotation.ts';

export function openPunchSupport(home: string, punch: Punch): () => boolean {
  let answer: boolean | null = null;
  const probe = (): boolean => {
    const directory = join(home, 'logs');
    const path = join(directory, `.punch-${process.pid}`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const fd = openSync(path, 'w+', 0o600);
      try {
        writeSync(fd, Buffer.alloc(4096, 1));
        return punch(fd, 0, 4096);
      } finally {
        closeSync(fd);
      }
    } finally {
      rmSync(path, { force: true });
    }
  };
  return () => {
    try {
      answer ??= probe();
      return answer;
    } catch {
      return true; // A full disk says nothing about it: the next question tries again.
    }
  };
}
