/** Whom an app runs as. Looked up when it is needed: users come and go while the daemon runs, and between its runs. */
import { lookupUser } from '../os/index.ts';
import { DroverError, type AppConfig } from '../protocol/index.ts';

export interface AppIdentity {
  readonly uid: number;
  readonly gid: number;
}

/** Null: the daemon's own user. Throws DROVER_USER_UNKNOWN. */
export const identityOf = ({ user }: Pick<AppConfig, 'user'>): AppIdentity | null => {
  if (user === null) return null;
  const found = lookupUser(user);
  if (found === null) throw new DroverError('DROVER_USER_UNKNOWN', { user });
  return { uid: found.uid, gid: found.gid };
};
