/**
 * Another unit for the same home: one of the machine beside one of the user's own, or under another name. At the next boot
 * both would start, and one of the two daemons would fight for the home for ever.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SYSTEM_FOLDER, userFolders, type UnitPlace } from './unit-place.ts';
import { isUnitOf } from './unit-text.ts';

export interface OtherUnit extends UnitPlace {
  /** What removes it, for whoever asks. */
  readonly removal: string;
}

export interface OtherUnitQuestion {
  /** Of the unit that is to be. */
  readonly place: UnitPlace;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
}

/** Null where there is none that can be read. */
export const findOtherUnit = ({ place, home, env, isRoot }: OtherUnitQuestion): OtherUnit | null => {
  const folders = [
    { scope: 'system' as const, folder: SYSTEM_FOLDER },
    ...userFolders(env).map((folder) => ({ scope: 'user' as const, folder })),
  ];
  for (const { scope, folder } of folders) {
    for (const unit of listUnits(folder)) {
      const other = { scope, unit, file: join(folder, unit) };
      if (isSame(other.file, place.file) || !isOf(other.file, home)) continue;
      return { ...other, removal: removalOf(other, { place, env, isRoot }) };
    }
  }
  return null;
};

/** `drover startup --remove` finds the unit by its place, and changes that of the machine as root only; else by hand. */
const removalOf = (
  { scope, unit, file }: UnitPlace,
  { place, env, isRoot }: Pick<OtherUnitQuestion, 'place' | 'env' | 'isRoot'>,
): string => {
  if (scope === 'user' && file === join(userFolders(env)[0], place.unit)) return 'drover startup --remove --user';
  if (scope === 'system' && isRoot && unit === place.unit) return 'drover startup --remove';
  const [sudo, own] = scope === 'user' ? ['', ' --user'] : [isRoot ? '' : 'sudo ', ''];
  return `${sudo}systemctl${own} disable ${unit} && ${sudo}rm ${file} && ${sudo}systemctl${own} daemon-reload`;
};

/** By whatever link. */
const isSame = (file: string, other: string): boolean => {
  if (file === other) return true;
  const [a, b] = [file, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
};

const listUnits = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.service'));
  } catch {
    // No such folder, or none that we may look into: then nothing is known of it.
    return [];
  }
};

const isOf = (file: string, home: string): boolean => {
  try {
    return isUnitOf(readFileSync(file, 'utf8'), home);
  } catch {
    return false;
  }
};
