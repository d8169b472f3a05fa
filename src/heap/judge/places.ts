/** Places in source files, as a report writes them: of functions, of constructors, and of scripts by path. */
import type { Reading } from '../compare/reading.ts';
import { pathOf, type Position } from '../source/declarations.ts';
import { NONE } from '../source/words.ts';
import type { SourceLocation } from './verdict.ts';

export interface PlaceOptions {
  /** Paths below it are written relative to it. */
  readonly root?: string;
  /** From a place in a script to where it was written before compilation; nothing when there is no source map. */
  readonly mapLocation?: (location: SourceLocation) => SourceLocation | undefined;
}

export class Places {
  readonly reading: Reading;
  private readonly options: PlaceOptions;

  constructor(reading: Reading, options: PlaceOptions) {
    this.reading = reading;
    this.options = options;
  }

  /** Of a closure, or of an object's constructor. */
  ofNode(node: number): SourceLocation | undefined {
    const { locations } = this.reading.graph;
    const at = findRow(locations.node, node, locations.count);
    if (at === -1) return undefined;
    const script = this.reading.scripts.scriptById(locations.scriptId[at] as number);
    const file = script === NONE ? `script ${locations.scriptId[at]}` : pathOf(this.reading.scripts.fileOf(script));
    const location = { file, line: (locations.line[at] as number) + 1, column: (locations.column[at] as number) + 1 };
    return this.shorten(this.options.mapLocation?.(location) ?? location);
  }

  /** The Script node of a closure's text, or of an object's constructor; NONE when the snapshot does not say. */
  scriptOfNode(node: number): number {
    const { locations } = this.reading.graph;
    const at = findRow(locations.node, node, locations.count);
    return at === -1 ? NONE : this.reading.scripts.scriptById(locations.scriptId[at] as number);
  }

  /** A position in a script; the file alone, at line 1, when it is not known. What stands at line 1 was made from is no answer then. */
  inScript(script: number, position?: Position): SourceLocation | undefined {
    if (script === NONE) return undefined;
    const file = pathOf(this.reading.scripts.fileOf(script));
    if (position === undefined) return this.shorten({ file, line: 1, column: 1 });
    const mapped = this.options.mapLocation?.({ file, ...position });
    return this.shorten(mapped ?? { file, line: position.line, column: 1 });
  }

  /** A file by its path or URL, at line 1. */
  inFile(file: string): SourceLocation {
    return this.shorten({ file: pathOf(file), line: 1, column: 1 });
  }

  private shorten(location: SourceLocation): SourceLocation {
    const { root } = this.options;
    const prefix = root === undefined ? '' : root.replace(/[\\/]*$/, '/');
    return prefix !== '' && location.file.startsWith(prefix)
      ? { ...location, file: location.file.slice(prefix.length) }
      : location;
  }
}

/** `src/cache.ts:31`: columns are left out where they say nothing. */
export const writeLocation = ({ file, line, column }: SourceLocation): string =>
  column > 1 ? `${file}:${line}:${column}` : `${file}:${line}`;

function findRow(nodes: Uint32Array, node: number, count: number): number {
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const there = nodes[middle] as number;
    if (there === node) return middle;
    if (there < node) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
