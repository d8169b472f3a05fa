/**
 * The runtime directory, for what cannot lie in the home itself: made so that it is ours, and only used where it is.
 * Whoever else could make a socket there would be taken for the daemon, and a request may carry the caller's whole
 * environment.
 */
import { dirname } from 'node:path';
import { DroverError } from '../protocol/index.ts';
import { findDirectoryOwner } from './directory-owner.ts';
import { ownRuntimeDirectoryOf, ownUid } from './home.ts';
import { makeFolder } from './make-folder.ts';

/** Workers of other users have to get to their sockets in it. */
export const RUN_DIRECTORY_MODE = 0o711;

/**
 * Why nothing is asked or written at a path in the runtime directory: DROVER_NOT_ALLOWED where that is not ours, or what
 * the system would say where it is not there (and could be anybody's a moment later). Null for any other path.
 */
export const findPlaceProblem = (path: string): Error | null => {
  const directory = ownRuntimeDirectoryOf(path);
  if (directory === null) return null;
  const owner = findDirectoryOwner(directory, ownUid());
  if (owner.kind === 'own') return null;
  if (owner.kind === 'absent') return Object.assign(new Error(`${directory} is not there`), { code: 'ENOENT' });
  return new DroverError('DROVER_NOT_ALLOWED', {
    message: `Drover does not use ${directory}: it ${owner.reason}.`,
    advice: 'Remove it, or choose another place with `XDG_RUNTIME_DIR`: somebody else could pose as the daemon there.',
  });
};

/**
 * The folder of a file or socket, in the home or in the runtime directory. Throws what {@link findPlaceProblem} finds, and
 * what the system says.
 */
export const makePlaceOf = (path: string, mode: number): void => {
  const directory = ownRuntimeDirectoryOf(path);
  if (directory !== null) makeFolder(directory, RUN_DIRECTORY_MODE);
  const problem = findPlaceProblem(path);
  if (problem !== null) throw problem;
  makeFolder(dirname(path), mode);
};
