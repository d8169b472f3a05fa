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

const SYSTEM_FOLDER = '/etc/systemd/system';

export const findUnitPlace = ({ scope, home, usualHome, env }: PlaceQuestion): UnitPlace => {
  const unit = home === usualHome ? 'drover.service' : `drover-${nameOf(home)}.service`;
  return { scope, unit, file: join(scope === 'system' ? SYSTEM_FOLDER : userFolder(env), unit) };
};

/** The path in characters that a unit's name may have; systemd allows 255 bytes in all. */
const nameOf = (home: string): string =>
  home
    .replaceAll(/[^A-Za-z0-9_.]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(-200);

const userFolder = (env: PlaceQuestion['env']): string => {
  const config = env['XDG_CONFIG_HOME'];
  // The specification says that relative paths are to be ignored.
  return join(config?.startsWith('/') ? config : join(env['HOME'] ?? '/', '.config'), 'systemd/user');
};
