/** Places in scripts as places in what the scripts were made from, where source maps lie on this machine. */
import { SourceMaps } from '../../input/index.ts';
import type { SourceLocation } from '../judge/verdict.ts';
import { pathOf } from '../source/declarations.ts';
import type { MapLocation } from './places.ts';

type Find = NonNullable<Awaited<ReturnType<SourceMaps['open']>>>;

/** Reads the maps of all these scripts (paths or URLs) first, because what asks cannot wait. Scripts of Node itself have none. */
export const openMaps = async (scripts: Iterable<string>): Promise<MapLocation> => {
  const maps = new SourceMaps();
  const found = new Map<string, Find>();
  for (const script of new Set([...scripts].map(pathOf))) {
    const find = script.startsWith('node:') ? null : await maps.open(script);
    if (find !== null) found.set(script, find);
  }
  return ({ file, line, column }: SourceLocation) => {
    const place = found.get(file)?.(line, column) ?? null;
    return place === null ? null : { file: place.url, line: place.line, column: place.column };
  };
};
