/**
 * What a reader wants of a JSON file, as data: which fields, of which type, and who takes them. Everything that is not
 * named is skipped without being built. `json-stream.ts` reads a file by it.
 */
import type { NumberColumn } from './number-column.ts';

export type JsonShape = ObjectShape | ArrayShape | NumberShape | StringShape | NumbersShape | AnyShape | SkipShape;

export interface ObjectShape {
  readonly kind: 'object';
  /** In the order in which files usually have them: the next one is looked for first. */
  readonly fields: readonly { readonly name: string; readonly bytes: Uint8Array; readonly shape: JsonShape }[];
  readonly onStart: (() => void) | null;
  readonly onEnd: (() => void) | null;
}

export interface ArrayShape {
  readonly kind: 'array';
  /** A function where a shape holds itself, as a tree of nodes does. */
  readonly item: () => JsonShape;
  readonly onStart: (() => void) | null;
  readonly onEnd: (() => void) | null;
}

export interface NumberShape {
  readonly kind: 'number';
  readonly take: (value: number) => void;
}

export interface StringShape {
  readonly kind: 'string';
  readonly take: (value: string) => void;
}

/** An array of numbers, which go into a column without any call in between. */
export interface NumbersShape {
  readonly kind: 'numbers';
  readonly column: NumberColumn;
  readonly onStart: (() => void) | null;
  readonly onEnd: (() => void) | null;
}

/** Whatever stands there, built as JSON.parse builds it; bounded, see `maxValueBytes`. */
export interface AnyShape {
  readonly kind: 'any';
  readonly take: (value: unknown) => void;
}

export interface SkipShape {
  readonly kind: 'skip';
}

export interface Brackets {
  readonly onStart?: () => void;
  readonly onEnd?: () => void;
}

export const object = (
  fields: Readonly<Record<string, JsonShape>>,
  { onStart, onEnd }: Brackets = {},
): ObjectShape => ({
  kind: 'object',
  fields: Object.entries(fields).map(([name, shape]) => ({ name, bytes: new TextEncoder().encode(name), shape })),
  onStart: onStart ?? null,
  onEnd: onEnd ?? null,
});

export const array = (item: JsonShape | (() => JsonShape), { onStart, onEnd }: Brackets = {}): ArrayShape => ({
  kind: 'array',
  item: typeof item === 'function' ? item : () => item,
  onStart: onStart ?? null,
  onEnd: onEnd ?? null,
});

export const number = (take: (value: number) => void): NumberShape => ({ kind: 'number', take });

export const string = (take: (value: string) => void): StringShape => ({ kind: 'string', take });

export const numbers = (column: NumberColumn, { onStart, onEnd }: Brackets = {}): NumbersShape => ({
  kind: 'numbers',
  column,
  onStart: onStart ?? null,
  onEnd: onEnd ?? null,
});

export const any = (take: (value: unknown) => void): AnyShape => ({ kind: 'any', take });

export const SKIP: SkipShape = { kind: 'skip' };

/** Thrown by what takes a value, when it cannot be one; becomes a `BadFile` that says where the value stands. */
export class WrongValue extends Error {
  override readonly name = 'WrongValue';
}
