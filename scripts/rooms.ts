/**
 * The rule of rooms (STYLE.md §2), as a check: a file of `src/<room>` imports other rooms only through their door
 * `../<room>/index.ts`, only rooms named in its own `tsconfig.json`, and only packages that ship. The compiler enforces
 * the references as well, but not the doors, and not what a room may take from Node or npm.
 *
 * Reads and reports; changes nothing.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { BUNDLED_PACKAGES } from './bundle-daemon.ts';

export interface Breach {
  readonly file: string;
  readonly specifier: string;
  readonly problem: string;
}

/** Rooms that are pure: they decide, and take time, randomness and input as arguments. */
const PURE_ROOMS = new Set(['protocol', 'core']);
/** Rooms that end up inside workers, where every package would be a cost and a risk to the app. */
const BUILTIN_ONLY_ROOMS = new Set(['protocol', 'core', 'runtime', 'agent']);
/** For these rooms `protocol` has a side door: the error catalogue behind the front one would be in every worker. */
const SIDE_DOOR = { path: join('src', 'protocol', 'agent.ts'), for: new Set(['runtime', 'agent']) };

interface Room {
  readonly name: string;
  readonly mayImport: ReadonlySet<string>;
}

/** Every import in `source`, static and dynamic (with a literal), type imports included. */
export function listImports(source: string, file: string): string[] {
  const found: string[] = [];
  visit(parseAst(source, { lang: file.endsWith('.ts') ? 'ts' : 'js' }), found);
  return found;
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function visit(node: unknown, found: string[]): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const fields = node as Record<string, unknown>;
  if (typeof fields['type'] === 'string' && IMPORTING.has(fields['type'])) {
    const source = fields['source'] as { readonly value?: unknown } | null | undefined;
    if (typeof source?.value === 'string') found.push(source.value);
  }
  for (const value of Object.values(fields)) if (typeof value === 'object') visit(value, found);
}

/**
 * Checks all sources under `root/src`, and that what is built on the rooms (examples, benchmarks) uses their doors. Tests
 * and scripts may look inside: a table that is tested cell by cell need not be in the door.
 */
export function findBreaches(root: string): Breach[] {
  const rooms = readRooms(root);
  const shipped = new Set([...readShippedPackages(root), ...BUNDLED_PACKAGES]);
  const breaches: Breach[] = [];
  for (const file of globSync('{src,bench,examples}/**/*.ts', {
    cwd: root,
    exclude: isOutsideTheProject,
  })) {
    const imports = listImports(readFileSync(join(root, file), 'utf8'), file);
    for (const specifier of imports) {
      const problem = judge({ root, file, specifier, rooms, shipped });
      if (problem !== null) breaches.push({ file, specifier, problem });
    }
  }
  return breaches;
}

const isOutsideTheProject = (path: string): boolean => path.split(sep).includes('node_modules');

interface Import {
  readonly root: string;
  readonly file: string;
  readonly specifier: string;
  readonly rooms: ReadonlyMap<string, Room>;
  readonly shipped: ReadonlySet<string>;
}

function judge({ root, file, specifier, rooms, shipped }: Import): string | null {
  const from = roomOf(file);
  if (!specifier.startsWith('.')) return from === null ? null : judgePackage(from, file, specifier, shipped);
  const target = relative(root, resolve(root, dirname(file), specifier));
  const to = roomOf(target);
  if (from === to) return null;
  const isTest = file.endsWith('.test.ts');
  if (to === null) {
    const isForTests = target.startsWith(`test${sep}`) || target.startsWith(`scripts${sep}`);
    return from === null || (isTest && isForTests) ? null : `a room must not import ${target}, which is outside src`;
  }
  if (target === SIDE_DOOR.path && from !== null && SIDE_DOOR.for.has(from)) return null;
  if (target !== join('src', to, 'index.ts')) return `past the door: import src/${to}/index.ts`;
  if (from === null) return null;
  const room = rooms.get(from);
  if (room === undefined) return `${from} has no tsconfig.json`;
  return room.mayImport.has(to) ? null : `${from} may not import ${to}: it is not among its references`;
}

function judgePackage(room: string, file: string, specifier: string, shipped: ReadonlySet<string>): string | null {
  const isTest = file.endsWith('.test.ts');
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return `write node:${specifier}`;
    return PURE_ROOMS.has(room) && !isTest ? `${room} is pure and takes nothing from Node` : null;
  }
  if (isTest) return null;
  if (BUILTIN_ONLY_ROOMS.has(room)) return `${room} takes no packages`;
  const words = specifier.split('/');
  const name = specifier.startsWith('@') ? words.slice(0, 2).join('/') : words[0];
  return name !== undefined && shipped.has(name) ? null : `${specifier} is not among the dependencies that ship`;
}

function roomOf(path: string): string | null {
  const [top, room, ...rest] = path.split(sep);
  return top === 'src' && room !== undefined && rest.length > 0 ? room : null;
}

function readRooms(root: string): Map<string, Room> {
  const rooms = new Map<string, Room>();
  for (const file of globSync('src/*/tsconfig.json', { cwd: root })) {
    const config = JSON.parse(readFileSync(join(root, file), 'utf8')) as { references?: { path: string }[] };
    const name = file.split(sep)[1];
    if (name === undefined) continue;
    const mayImport = new Set((config.references ?? []).map(({ path }) => path.replace(/^\.\.\//, '')));
    rooms.set(name, { name, mayImport });
  }
  return rooms;
}

function readShippedPackages(root: string): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies?: object };
  return new Set(Object.keys(manifest.dependencies ?? {}));
}
