/**
 * Which systemd unit a home's daemon belongs to, as `drover startup` noted it in the home: a daemon that is started by
 * hand is started as that unit, or a second one would stand in its way at the next boot.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BootUnit {
  readonly scope: 'system' | 'user';
  readonly unit: string;
}

const fileOf = (home: string): string => join(home, 'boot-unit.json');

/** Null where there is none, or none that can be read. */
export const readBootUnit = (home: string): BootUnit | null => {
  try {
    const { scope, unit } = JSON.parse(readFileSync(fileOf(home), 'utf8')) as Partial<BootUnit>;
    return (scope === 'system' || scope === 'user') && typeof unit === 'string' ? { scope, unit } : null;
  } catch {
    return null;
  }
};

/** Null forgets it. */
export const writeBootUnit = (home: string, unit: BootUnit | null): void => {
  if (unit === null) rmSync(fileOf(home), { force: true });
  else writeFileSync(fileOf(home), `${JSON.stringify(unit)}\n`, { mode: 0o600 });
};
