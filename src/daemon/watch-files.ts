/** Calls back once files below a directory have changed and settled; for development only. */
import { watch } from 'node:fs';
import { sep } from 'node:path';

/** Editors save in several steps. */
const SETTLE_MS = 150;
/** What changes without a person changing it. */
const IGNORED = new Set(['node_modules', '.git', 'dist', '.next', 'coverage']);

export const watchFiles = (directory: string, onChange: () => void): { close(): void } => {
  let timer: NodeJS.Timeout | null = null;
  const watcher = watch(directory, { recursive: true }, (_event, file) => {
    if (file === null || file.split(sep).some((part) => IGNORED.has(part))) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  });
  return {
    close() {
      if (timer !== null) clearTimeout(timer);
      watcher.close();
    },
  };
};
