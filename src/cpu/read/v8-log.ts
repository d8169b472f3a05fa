/**
 * Reads what V8 writes with `--log-deopt` and `--log-ic` (one file with `--logfile=v8.log --no-logfile-per-isolate`, else one a thread): where optimised code was thrown
 * away and why, and which property accesses met many shapes of objects. One pass, a line at a time; memory grows with
 * the code and the sites, not with the events.
 *
 * Events of an access carry an address only; the function comes from the code that lies there at that moment, so events
 * of code that was made before the log began have no file and are left out.
 */
import { BadFile, openInput, readLines } from '../../input/index.ts';
import type { FunctionPlace } from '../model/function-table.ts';
import { CodeMap } from './code-map.ts';
import { parseFrame } from './frame-text.ts';

export interface Deoptimisation {
  /** The function whose code was thrown away; `(anonymous)` where it is not known. */
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
  /** `eager`: an assumption did not hold. `lazy`: it was known that it no longer would. */
  readonly kind: 'eager' | 'lazy' | 'soft' | 'other';
  /** In V8's words: `wrong map`, `not a Smi`, … */
  readonly reason: string;
  readonly count: number;
  /** Microseconds since the start of the log. */
  readonly firstUs: number;
  readonly lastUs: number;
}

export interface PropertySite {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
  /** V8's name for the kind of access: `LoadIC`, `StoreIC`, `KeyedLoadIC`, … */
  readonly access: string;
  readonly property: string;
  /** The widest state that it came to. */
  readonly state: 'monomorphic' | 'polymorphic' | 'megamorphic' | 'generic';
  /** Events at this site; each is one access that V8 had no fast way for. */
  readonly misses: number;
  /** Different shapes of objects, counted up to 64. */
  readonly shapes: number;
}

export interface V8Log {
  readonly v8Version: string;
  readonly deoptimisations: readonly Deoptimisation[];
  readonly sites: readonly PropertySite[];
}

/** `IC::TransitionMarkFromState` in V8's `src/ic/ic.cc`. */
const STATES: ReadonlyMap<string, PropertySite['state']> = new Map([
  ['1', 'monomorphic'],
  ['P', 'polymorphic'],
  ['N', 'megamorphic'],
  ['G', 'generic'],
]);
const WIDTH: readonly PropertySite['state'][] = ['monomorphic', 'polymorphic', 'megamorphic', 'generic'];
const ACCESS =
  /^(?:Keyed)?(?:Load|Store|LoadGlobal|StoreGlobal|DefineNamedOwn|DefineKeyedOwn|StoreInArrayLiteral)[A-Za-z]*IC$/;
/** `<file:line:column>`, and where the code was inlined behind it. */
const LOCATION = /^<(.*?):([0-9]{1,9}):([0-9]{1,9})>/;
const LONGEST_LOCATION = 4096;
const MAX_SHAPES = 64;
const MAX_SITES = 1_000_000;

type Counted<Row> = { -readonly [Key in keyof Row]: Row[Key] };

/** The log in `path`, compressed or not. Throws `BadFile`, the file system's errors, and the signal's reason. */
export async function readV8Log(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<V8Log> {
  return readV8LogChunks(openInput(path, signal === undefined ? {} : { signal }), path);
}

/** The same for bytes that come from elsewhere. */
export async function readV8LogChunks(chunks: AsyncIterable<Uint8Array>, file: string): Promise<V8Log> {
  const reader = new LogReader(file);
  // `--log-ic` logs whole sources as one line each.
  const maxLineLength = 64 * 1024 * 1024;
  await readLines(
    chunks,
    (line, number) => {
      reader.take(line, number);
    },
    { file, maxLineLength },
  );
  return reader.finish();
}

class LogReader {
  readonly #file: string;
  readonly #code = new CodeMap<FunctionPlace>();
  readonly #deoptimisations = new Map<string, Counted<Deoptimisation>>();
  readonly #sites = new Map<string, { readonly site: Counted<PropertySite>; readonly shapes: Set<string> }>();
  #version = '';

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string, number: number): void {
    if (number === 1 && !line.startsWith('v8-version,'))
      throw new BadFile({
        file: this.#file,
        where: 'line 1',
        what: 'a log of V8 was expected, which begins with `v8-version`',
      });
    const end = line.indexOf(',');
    const event = end === -1 ? line : line.slice(0, end);
    if (event === 'code-creation') this.#addCode(line.split(','), number);
    else if (event === 'code-move') this.#moveCode(line.split(','));
    else if (event === 'code-deopt') this.#addDeoptimisation(line.split(','), number);
    else if (event === 'v8-version')
      this.#version = line
        .slice(end + 1)
        .split(',')
        .slice(0, 4)
        .join('.');
    else if (ACCESS.test(event)) this.#addAccess(line.split(','), number);
  }

  #addCode(fields: readonly string[], number: number): void {
    const [, kind, , , address = '', size = '', name = ''] = fields;
    if (kind !== 'JS' && kind !== 'Eval' && kind !== 'Script' && kind !== 'Function' && kind !== 'LazyCompile') return;
    const start = this.#parseNumber(address, number);
    // Tiers stand in a field of their own here, not before the name.
    this.#code.add(start, start + this.#parseNumber(size, number), parseFrame(`JS:${unescapeText(name)}`));
  }

  #moveCode([, from = '', to = '']: readonly string[]): void {
    this.#code.move(Number(from), Number(to));
  }

  #addDeoptimisation(fields: readonly string[], number: number): void {
    const [, time = '', , address = '', , , kind = '', location = '', reason = ''] = fields;
    const atUs = this.#parseNumber(time, number);
    const place = LOCATION.exec(unescapeText(location.slice(0, LONGEST_LOCATION)));
    if (place === null) return;
    const [, url = '', line, column] = place;
    const owner = this.#code.find(Number(address));
    const short = kind.replace(/^deopt-/, '');
    const key = `${location}\n${short}\n${reason}`;
    const known = this.#deoptimisations.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.lastUs = atUs;
      return;
    }
    this.#bound(this.#deoptimisations.size, number);
    this.#deoptimisations.set(key, {
      functionName: nameOf(owner),
      url,
      line: Number(line),
      column: Number(column),
      kind: short === 'eager' || short === 'lazy' || short === 'soft' ? short : 'other',
      reason: unescapeText(reason),
      count: 1,
      firstUs: atUs,
      lastUs: atUs,
    });
  }

  #addAccess(fields: readonly string[], number: number): void {
    const [access = '', address = '', , line = '', column = '', , state = '', shape = '', property = ''] = fields;
    const name = STATES.get(state);
    if (name === undefined) return;
    const owner = this.#code.find(this.#parseNumber(address, number));
    if (owner === undefined || owner.url === '') return;
    const key = `${owner.url}\n${line}:${column}\n${access}\n${property}`;
    let entry = this.#sites.get(key);
    if (entry === undefined) {
      this.#bound(this.#sites.size, number);
      const site: Counted<PropertySite> = {
        functionName: nameOf(owner),
        url: owner.url,
        line: this.#parseNumber(line, number),
        column: this.#parseNumber(column, number),
        access,
        property: unescapeText(property),
        state: name,
        misses: 0,
        shapes: 0,
      };
      entry = { site, shapes: new Set() };
      this.#sites.set(key, entry);
    }
    const { site, shapes } = entry;
    site.misses += 1;
    if (shapes.size < MAX_SHAPES) shapes.add(shape);
    if (WIDTH.indexOf(name) > WIDTH.indexOf(site.state)) site.state = name;
  }

  #parseNumber(text: string, number: number): number {
    const value = Number(text);
    if (text === '' || !(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
      const what = `a number was expected, found ${JSON.stringify(text.slice(0, 40))}`;
      throw new BadFile({ file: this.#file, where: `line ${number}`, what });
    }
    return value;
  }

  #bound(count: number, number: number): void {
    if (count < MAX_SITES) return;
    throw new BadFile({ file: this.#file, where: `line ${number}`, what: `more than ${MAX_SITES} places` });
  }

  finish(): V8Log {
    if (this.#version === '') throw new BadFile({ file: this.#file, where: null, what: 'the file is empty' });
    const sites = [...this.#sites.values()].map(({ site, shapes }) => ({ ...site, shapes: shapes.size }));
    return {
      v8Version: this.#version,
      deoptimisations: [...this.#deoptimisations.values()].sort((a, b) => b.count - a.count),
      sites: sites.sort((a, b) => b.misses - a.misses),
    };
  }
}

const nameOf = (place: FunctionPlace | undefined): string =>
  place === undefined || place.name === '' ? '(anonymous)' : place.name;

/** V8 writes commas, line ends and whatever is not ASCII as `\x2C`, `\n` and `\u00e4`. */
const unescapeText = (text: string): string =>
  text.replaceAll(/\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|n|\\)/g, (whole, short?: string, long?: string) => {
    const code = short ?? long;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return whole === '\\n' ? '\n' : '\\';
  });
