/** Values kept as JSON text in a column, and columns as the types they were written with. */
import type { SQLOutputValue } from 'node:sqlite';
import { DroverError } from '../protocol/index.ts';
import type { Row } from './database.ts';

/**
 * What `JSON.stringify` wrote. Only this room writes the file, so callers take the type on trust; the syntax is not.
 */
export function jsonOf(file: string, row: Row, column: string): unknown {
  const text = row[column];
  try {
    return JSON.parse(textOf(text)) as unknown;
  } catch (cause) {
    throw new DroverError('DROVER_STATE_UNREADABLE', { file, message: `${column} is damaged` }, { cause });
  }
}

/** The same of what is only history: a damaged line of it must not keep the daemon from its work. */
export function jsonOrNull(row: Row, column: string): unknown {
  try {
    return JSON.parse(textOf(row[column])) as unknown;
  } catch {
    return null;
  }
}

export const textOf = (value: SQLOutputValue | undefined): string => (typeof value === 'string' ? value : '');
export const textOrNull = (value: SQLOutputValue | undefined): string | null =>
  typeof value === 'string' ? value : null;
export const numberOf = (value: SQLOutputValue | undefined): number => Number(value ?? 0);
export const numberOrNull = (value: SQLOutputValue | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
export const isSet = (value: SQLOutputValue | undefined): boolean => value === 1;
