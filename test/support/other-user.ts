/** Tests in which somebody else uses this checkout. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { COMMAND } from './drover.ts';

/** What keeps another user from running this checkout; false when nothing does. */
export const whyNoOtherUser = (): string | false => {
  if (process.getuid?.() !== 0) return 'only root can become somebody else';
  for (let path = dirname(COMMAND); path !== '/'; path = dirname(path)) {
    try {
      accessSync(path, constants.X_OK);
    } catch {
      return `${path} cannot be entered`;
    }
  }
  return false;
};
