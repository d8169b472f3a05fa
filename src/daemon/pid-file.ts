/**
 * `daemon.pid`: names the daemon of a home to a second one, and to nobody else. Its first line is the pid; the second
 * says when that process was started, because a pid goes to a stranger after the daemon was killed.
 */
import { messageOf } from '../protocol/index.ts';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { bootId, isAlive, startTicks } from '../os/index.ts';

type Log = (line: string) => void;

/** It only names the daemon to a second one; a disk that does not take it is told of elsewhere. */
export const notePid = (file: string, log: Log): void => {
  try {
    writePid(file);
  } catch (error) {
    log(`its pid cannot be written down: ${messageOf(error)}`);
  }
};

/** Throws what the file system says. */
export const writePid = (file: string): void =>
  writeFileSync(file, `${process.pid}\n${String(startTicks(process.pid))} ${bootId()}\n`, { mode: 0o600 });

export const forgetPid = (file: string, log: Log): void => {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    log(`${file} stays: ${messageOf(error)}`);
  }
};

/** The daemon that wrote it, where that lives and is not this process. */
export const findOther = (file: string): number | null => {
  try {
    const [first = '', second = ''] = readFileSync(file, 'utf8').split('\n');
    const [pid, [ticks, boot]] = [Number(first), second.split(' ')];
    if (!(pid > 0) || pid === process.pid || boot !== bootId()) return null;
    return isAlive(pid, ticks === 'null' ? null : Number(ticks)) ? pid : null;
  } catch {
    return null;
  }
};
