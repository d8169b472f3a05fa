/**
 * Whom an app runs as. Looked up when it is needed: users come and go while the daemon runs, and between its runs.
 *
 * A worker is in the main group of its user alone. Between fork and exec libuv calls `setgroups(0)` wherever it is given a uid
 * or a gid, so it keeps none of root's groups; to give it those of the user (`initgroups`), Node has no way to ask for.
 */
import { lookupUser, type User } from '../os/index.ts';
import { DroverError, type AppConfig } from '../protocol/index.ts';

/** Null: the daemon's own user. Throws DROVER_USER_UNKNOWN. */
export const identityOf = ({ user }: Pick<AppConfig, 'user'>): User | null => {
  if (user === null) return null;
  const found = lookupUser(user);
  if (found === null) throw new DroverError('DROVER_USER_UNKNOWN', { user });
  return found;
};

/**
 * What a login of that user sets, as for units of systemd with `User=`; nothing for the daemon's own user. Throws
 * DROVER_USER_UNKNOWN.
 */
export const identityEnvironment = (config: Pick<AppConfig, 'user'>): Record<string, string> => {
  const found = identityOf(config);
  if (found === null) return {};
  const { name, home, shell } = found;
  const env = { USER: name, LOGNAME: name, HOME: home, SHELL: shell };
  // A field of the password file may be empty.
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
};
