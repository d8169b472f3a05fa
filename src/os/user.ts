/** Users of this machine, by name or number: the password file first, then whatever the system asks (`getent`, `id`). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Null when there is no such user. A number that nobody has is no user either. */
export function lookupUser(nameOrId: string | number): User | null {
  const wanted = String(nameOrId);
  return findUser(readPasswordFile(), wanted) ?? findUser(run('getent', ['passwd', wanted]), wanted) ?? askId(wanted);
}

function findUser(lines: string, wanted: string): User | null {
  for (const line of lines.split('\n')) {
    const [name = '', , uid = '', gid = '', , home = '', shell = ''] = line.split(':');
    if (name !== '' && (name === wanted || uid === wanted)) {
      return { name, uid: Number(uid), gid: Number(gid), home, shell };
    }
  }
  return null;
}

/** macOS keeps its users in a directory service; only `id` is the same everywhere. */
function askId(wanted: string): User | null {
  const [uid, gid, name] = [['-u'], ['-g'], ['-un']].map((flags) => run('id', [...flags, '--', wanted]).trim());
  if (!uid || !gid || !name) return null;
  return { name, uid: Number(uid), gid: Number(gid), home: `/Users/${name}`, shell: '/bin/sh' };
}

function readPasswordFile(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 });
  } catch {
    return '';
  }
}
