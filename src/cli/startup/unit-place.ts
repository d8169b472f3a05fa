/** Where Drover's unit lies and what it is called: one for each home, so that several daemons can start at boot. Pure. */
import { join } from 'node:path';

export interface UnitPlace {
  readonly scope: 'system' | 'user';
  readonly unit: string;
  readonly file: string;
}

export interface PlaceQuestion {
  readonly scope: UnitPlace['scope'];
  readonly home: string;
  /** The home that this user has when nothing else is said. */
  readonly usualHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const SYSTEM_FOLDER = '/etc/systemd/system';
/** Below a user's configuration. */
const FOLDER = 'systemd/user';

export const findUnitPlace = ({ scope, home, usualHome, env }: PlaceQuestion): UnitPlace => {
  const unit = home === usualHome ? 'drover.service' : `drover-${nameOf(home)}.service`;
  return { scope, unit, file: join(scope === 'system' ? SYSTEM_FOLDER : userFolders(env)[0], unit) };
};

/** The path in characters that a unit's name may have; systemd allows 255 bytes in all. */
const nameOf = (home: string): string =>
  home
    .replaceAll(/[^A-Za-z0-9_.]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(-200);

/** Where a unit of the user's own may lie: the first is the one for this environment, another one may have been another's. */
export const userFolders = (env: PlaceQuestion['env']): readonly [string, ...string[]] => {
  const config = env['XDG_CONFIG_HOME'];
  const usual = join(env['HOME'] ?? '/', '.config');
  // The specification says that relative paths are to be ignored.
  const own = config?.startsWith('/') ? config : usual;
  return [join(own, FOLDER), ...(own === usual ? [] : [join(usual, FOLDER)])];
};
