/** Sees to it that a copy is on the disk for certain, later than it is made: a start does not wait for a disk. */
import { open, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { COPY_FILE, type CopyFile } from './read-copy.ts';

/** Rejects with what the file system says; the copy goes on counting for this boot only. */
export const syncCopy = async (root: string): Promise<void> => {
  const file = join(root, COPY_FILE);
  const known = JSON.parse(await readFile(file, 'utf8')) as CopyFile;
  if (known.isSynced) return;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) await syncPath(join(entry.parentPath, entry.name));
  }
  const draft = `${file}.new`;
  await writeFile(draft, `${JSON.stringify({ ...known, isSynced: true })}\n`);
  await syncPath(draft);
  await rename(draft, file);
  for (const path of [root, dirname(root)]) await syncPath(path);
};

const syncPath = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
