/** Where functions and classes of a snapshot were written, as text, through source maps where there are any. */
import { findScripts } from '../passes/scripts.ts';
import type { HeapGraph } from '../model/graph.ts';
import { formatLocation } from '../report/documents.ts';
import type { SourceLocation } from '../judge/verdict.ts';
import { pathOf } from '../source/declarations.ts';

/** Gives the place in the source that a place in a script was made from; null where it is not known. All from 1. */
export type MapLocation = (location: SourceLocation) => SourceLocation | null;

export interface Places {
  /** `src/cache.ts:31:7`; undefined where the script is not known by name. Lines and columns from 0, as V8 writes them. */
  at(scriptId: number, line: number, column: number): string | undefined;
  /** Of a function, or of the constructor of an object. */
  ofNode(node: number): string | undefined;
}

const UNKNOWN = 0xffff_ffff;

export interface PlaceOptions {
  readonly mapLocation: MapLocation;
  /** Paths below it are written relative to it; null for whole paths. */
  readonly root: string | null;
}

/** A place as it is written in answers: in the source that it was made from, and short. */
export const toShownLocation = (location: SourceLocation, { mapLocation, root }: PlaceOptions): SourceLocation => {
  const found = mapLocation(location) ?? location;
  const prefix = root === null ? '' : root.replace(/\/*$/, '/');
  return prefix !== '' && found.file.startsWith(prefix) ? { ...found, file: found.file.slice(prefix.length) } : found;
};

export const findPlaces = (graph: HeapGraph, options: PlaceOptions): Places => {
  const scripts = findScripts(graph);
  const { locations } = graph;
  const at: Places['at'] = (scriptId, line, column) => {
    const file = scripts.get(scriptId);
    if (file === undefined || line === UNKNOWN) return undefined;
    const location = { file: pathOf(file), line: line + 1, column: column === UNKNOWN ? 1 : column + 1 };
    return formatLocation(toShownLocation(location, options));
  };
  return {
    at,
    ofNode: (node) => {
      const row = findRow(locations.node, locations.count, node);
      return row === -1 ? undefined : at(locations.scriptId[row]!, locations.line[row]!, locations.column[row]!);
    },
  };
};

/** In a sorted column; −1 where it is not. */
const findRow = (column: Uint32Array, count: number, wanted: number): number => {
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = column[middle]!;
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
};
