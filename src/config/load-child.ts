/**
 * The child process that runs a configuration file: `load-child <file> <limit>`. Writes one line of JSON to
 * descriptor 3 and ends at once, whatever the file left running. `import … from 'drover'` gives the Drover that runs,
 * not one that is installed beside the file.
 */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { DEEPEST } from './nesting.ts';

interface Problem {
  readonly path: string;
  /** The value in words; itself it is what JSON cannot say. */
  readonly value: string;
  readonly message: string;
}

export type LoadAnswer =
  | { readonly outcome: 'exported'; readonly value: unknown }
  | { readonly outcome: 'threw'; readonly message: string }
  | { readonly outcome: 'not-plain'; readonly problems: readonly Problem[] };

const MOST_PROBLEMS = 20;

/** A copy of plain data without `undefined`; what is not plain becomes a problem. */
const toPlain = (value: unknown, path: string, trail: readonly unknown[], problems: Problem[]): unknown => {
  const refuse = (message: string): undefined => {
    if (problems.length < MOST_PROBLEMS) problems.push({ path, value: inspect(value, { depth: 0 }), message });
    return undefined;
  };
  if (typeof value === 'number' && !Number.isFinite(value)) return refuse('must be a finite number');
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return refuse(`must be plain data, not a ${typeof value}`);
  if (typeof value !== 'object' || value === null) return value;
  if (trail.includes(value)) return refuse('contains itself');
  if (trail.length > DEEPEST) return refuse('is nested too deeply');
  const inside = [...trail, value];
  if (Array.isArray(value))
    return value.map((item: unknown, index) => toPlain(item, `${path}[${index}]`, inside, problems) ?? null);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of other realms (`node:vm`) are as plain; what matters is that there is no class between.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    return refuse(`must be plain data, not a ${nameOfClass(value)}`);
  const plain: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value))
    if (item !== undefined) plain.push([key, toPlain(item, path === '' ? key : `${path}.${key}`, inside, problems)]);
  return Object.fromEntries(plain);
};

/** `Date`; classes may be nameless, and their constructors gone. */
const nameOfClass = (value: object): string => {
  const { constructor } = value as { readonly constructor?: unknown };
  return (typeof constructor === 'function' && constructor.name) || 'class instance';
};

const describe = (error: unknown, file: string): string => {
  // Not `String`, which calls what was thrown.
  if (!(error instanceof Error)) return `it threw ${inspect(error, { depth: 0, customInspect: false })}.`;
  const lines = String(error.stack).split('\n');
  const place = lines
    .find((line) => line.includes(file))
    ?.replace('file://', '')
    .replace(/^.*?(\/[^()]*:\d+(?::\d+)?)\)?$/, '$1');
  return `it threw ${error.name}: ${error.message}${place === undefined ? '' : ` (${place.trim()})`}`;
};

const read = async (file: string, limit: number): Promise<LoadAnswer> => {
  let loaded: unknown;
  try {
    const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    if (!('default' in module)) return { outcome: 'threw', message: 'it has no default export.' };
    loaded = await module['default'];
    // A compiled ES module that was loaded as CommonJS keeps its default export one level down.
    if (typeof loaded === 'object' && loaded !== null && '__esModule' in loaded && 'default' in loaded)
      loaded = await loaded.default;
    const problems: Problem[] = [];
    const value = toPlain(loaded, '', [], problems);
    if (problems.length > 0) return { outcome: 'not-plain', problems };
    if (Buffer.byteLength(JSON.stringify(value) ?? '') > limit)
      return { outcome: 'threw', message: `it exports more than ${limit} bytes.` };
    return { outcome: 'exported', value };
  } catch (error) {
    return { outcome: 'threw', message: describe(error, file) };
  }
};

const [, , file = '', limit = '0'] = process.argv;
const { href: here } = new URL(import.meta.url);
const packageDoor = new URL(`../index${here.slice(here.lastIndexOf('.'))}`, here).href;
// Other entry points of the package do not exist yet; they fail with Node's own words.
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === 'drover' ? { url: packageDoor, shortCircuit: true } : nextResolve(specifier, context),
});
process.argv.splice(1, 3, file);

const answer = Buffer.from(`${JSON.stringify(await read(file, Number(limit)))}\n`);
for (let written = 0; written < answer.length;) {
  try {
    written += writeSync(3, answer, written);
  } catch (error) {
    // The pipe may be full for a moment; the reader empties it.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}
process.exit(0);
