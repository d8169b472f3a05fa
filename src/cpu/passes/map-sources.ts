/**
 * Puts functions where their source has them. Two functions of generated code that come from one of the source become
 * one. A name is taken from the map only where the code has another one, as a minifier leaves it.
 */
import type { SourceMaps } from '../../input/index.ts';
import { FunctionTable, type FunctionPlace } from '../model/function-table.ts';
import type { LineTicks } from '../model/profile.ts';

interface Mapped {
  readonly functions: FunctionTable;
  /** Per function of before: its function now. */
  readonly functionOf: Uint32Array;
}

export async function mapFunctions(before: FunctionTable, maps: SourceMaps): Promise<Mapped> {
  const functions = new FunctionTable();
  const functionOf = new Uint32Array(before.places.length);
  for (const [index, place] of before.places.entries()) {
    const { name, url, line, column } = await mapPlace(place, maps);
    functionOf[index] = functions.add(name, url, line, column);
  }
  return { functions, functionOf };
}

async function mapPlace(place: FunctionPlace, maps: SourceMaps): Promise<FunctionPlace> {
  if (place.url === '' || place.line === 0) return place;
  const found = await maps.resolve(place.url, place.line, place.column);
  if (found === null) return place;
  const isNamed = found.name !== null && place.name !== '(anonymous)';
  return { name: isNamed ? found.name : place.name, url: found.url, line: found.line, column: found.column };
}

/** Lines of generated code become lines of the source; those of no known line, or of another file, are left out. */
export async function mapLineTicks(
  { count, node, line, ticks }: LineTicks,
  placeOf: (node: number) => { readonly before: FunctionPlace; readonly now: FunctionPlace },
  maps: SourceMaps,
): Promise<LineTicks> {
  const rows: [number, number, number][] = [];
  for (let row = 0; row < count; row += 1) {
    const { before, now } = placeOf(node[row] as number);
    const at = line[row] as number;
    const found = before.url === now.url ? null : await maps.resolve(before.url, at, 0);
    if (before.url === now.url) rows.push([node[row] as number, at, ticks[row] as number]);
    else if (found?.url === now.url) rows.push([node[row] as number, found.line, ticks[row] as number]);
  }
  return {
    count: rows.length,
    node: Uint32Array.from(rows, ([value]) => value),
    line: Uint32Array.from(rows, ([, value]) => value),
    ticks: Uint32Array.from(rows, ([, , value]) => value),
  };
}
