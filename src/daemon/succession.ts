/**
 * Who comes after this daemon. Several shells may wait for its end: its guard, the one that is just being replaced
 * (`guard.ts`), the copy of the guard that brought it (`standby.ts`), the guard of the program that it was before. All
 * would become the next daemon, one of them would, and the others would find the home taken; unless that one ends soon,
 * and they come up when nobody wants a daemon any more. So all of them have the reading end of one pipe with one byte in
 * it, which nobody writes to again. Whoever gets the byte comes next; the others read the end of the file, and are done.
 */
import { readSync, writeSync } from 'node:fs';
import { closeDescriptor, openPipe, setCloexec } from '../os/index.ts';
import { takeNamed } from './take-named.ts';

/** Names the pipe for the program that this process becomes. */
export const SUCCESSION_VARIABLE = 'DROVER_SUCCESSION';

/** What a shell reads with `read`: one byte, so that no two of them get a part of it. */
const TURN = '\n';

/** Returns the end that is read, closed on exec. */
export const openSuccession = (): number => {
  const { readFd, writeFd } = openPipe();
  writeSync(writeFd, TURN);
  closeDescriptor(writeFd);
  return readFd;
};

/** Takes the variable out of the environment; a daemon that inherited none begins one. */
export const takeSuccession = (env: NodeJS.ProcessEnv): number => {
  const inherited = takeNamed(env, SUCCESSION_VARIABLE);
  if (inherited === null) return openSuccession();
  setCloexec(inherited, true);
  return inherited;
};

/** Nobody comes after this daemon, whoever still waits. */
export const endSuccession = (succession: number): void => {
  readSync(succession, Buffer.alloc(TURN.length));
};
