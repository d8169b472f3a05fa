/** Writes, enables and removes the unit. What it says is `unit-text.ts`. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DroverError } from '../../protocol/index.ts';
import { systemctl } from './systemctl.ts';
import type { UnitPlace } from './unit-place.ts';
import { isUnitOf } from './unit-text.ts';

/**
 * Writes the unit and enables it; when systemd refuses, the file is as it was before. Throws DROVER_NOT_ALLOWED,
 * DROVER_UNIT_TAKEN for a file that is not ours, and what `systemctl` throws.
 */
export const installUnit = async ({ scope, unit, file }: UnitPlace, text: string, home: string): Promise<void> => {
  const before = readUnit(file);
  if (before !== null && !isUnitOf(before, home)) throw new DroverError('DROVER_UNIT_TAKEN', { file });
  write(file, text);
  try {
    await systemctl(scope, 'daemon-reload');
    await systemctl(scope, 'enable', unit);
  } catch (error) {
    if (before === null) rmSync(file, { force: true });
    else write(file, before);
    throw error;
  }
};

/**
 * Disables the unit: it does not start with the machine any more, and goes on running. False when there is none; throws
 * as {@link installUnit} does.
 */
export const disableUnit = async ({ scope, unit, file }: UnitPlace, home: string): Promise<boolean> => {
  const before = readUnit(file);
  if (before === null) return false;
  if (!isUnitOf(before, home)) throw new DroverError('DROVER_UNIT_TAKEN', { file });
  await systemctl(scope, 'disable', unit);
  return true;
};

/** Deletes one that is disabled. Throws DROVER_NOT_ALLOWED, and what `systemctl` throws. */
export const deleteUnit = async ({ scope, file }: UnitPlace): Promise<void> => {
  guard(file, () => rmSync(file, { force: true }));
  await systemctl(scope, 'daemon-reload');
};

/** The text of the unit, or null where there is none. */
const readUnit = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refusalOf(file, error);
  }
};

/** In one step, so that systemd never reads half a unit. */
const write = (file: string, text: string): void =>
  guard(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    const fresh = `${file}.new`;
    writeFileSync(fresh, text, { mode: 0o644 });
    renameSync(fresh, file);
  });

const guard = (file: string, act: () => void): void => {
  try {
    act();
  } catch (error) {
    throw refusalOf(file, error);
  }
};

const refusalOf = (file: string, cause: unknown): DroverError =>
  new DroverError(
    'DROVER_NOT_ALLOWED',
    {
      message: `${file} cannot be written: ${(cause as Error).message}`,
      advice: 'See what `drover startup --print` prints.',
    },
    { cause },
  );
