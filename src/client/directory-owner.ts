/**
 * Whose a directory is. The one that Drover has beside a home may lie where everybody can make folders, under a name
 * that anybody can guess.
 */
import { lstatSync } from 'node:fs';

/** `own`: only this user, or root, can have put there what is in it. `foreign` says in words why that is not certain. */
export type DirectoryOwner =
  | { readonly kind: 'own' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign'; readonly reason: string };

const ROOT = 0;
/** Of the group, and of everybody else. */
const WRITABLE_BY_OTHERS = 0o022;

/** Never throws: what cannot be looked at is somebody else's. */
export const findDirectoryOwner = (directory: string, uid: number): DirectoryOwner => {
  const foreign = (reason: string): DirectoryOwner => ({ kind: 'foreign', reason });
  try {
    // Not `stat`: a link of somebody else leads wherever that one wants.
    const stat = lstatSync(directory, { throwIfNoEntry: false });
    if (stat === undefined) return { kind: 'absent' };
    if (!stat.isDirectory()) return foreign(`is ${stat.isSymbolicLink() ? 'a link' : 'no directory'}`);
    if (stat.uid !== uid && stat.uid !== ROOT) return foreign(`belongs to user ${stat.uid}`);
    return (stat.mode & WRITABLE_BY_OTHERS) === 0 ? { kind: 'own' } : foreign('can be written by others');
  } catch (error) {
    return foreign(`cannot be looked at (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
};
