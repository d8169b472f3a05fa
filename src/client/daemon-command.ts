/** What systemd starts the daemon with: the installed program, which knows which one of the home is to go on. */
import { dirname, extname, join } from 'node:path';
import { commandOf, installedProgram } from '../program/index.ts';

/** Its program and arguments. */
export const daemonCommand = (): readonly [program: string, ...args: string[]] => {
  const installed = installedProgram();
  const { main } = installed;
  return commandOf({ ...installed, main: join(dirname(main), `begin${extname(main)}`) });
};
