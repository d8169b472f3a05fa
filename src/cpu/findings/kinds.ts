/**
 * What each node of the tree works for, by the outermost frame that says so: a file that `require` reads is loading and not
 * a read of the application, a write that `console.log` makes is logging. Names are those of Node 20 to 26.
 */
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import { LOADING } from './run-time.ts';

export const KINDS = ['none', 'loading', 'logging', 'stack', 'io', 'crypto', 'compression', 'compiling'] as const;
export type Kind = (typeof KINDS)[number];

/** Loggers that format and write on the loop; what they do is logging, whatever they call. */
const LOGGERS = new Set([
  'bole',
  'bunyan',
  'consola',
  'debug',
  'log4js',
  'loglevel',
  'logform',
  'morgan',
  'npmlog',
  'pino',
  'pino-http',
  'pino-pretty',
  'quick-format-unescaped',
  'roarr',
  'safe-stable-stringify',
  'signale',
  'sonic-boom',
  'tslog',
  'winston',
  'winston-transport',
]);

/** Packages that read source maps or take stacks apart. */
const STACK_PACKAGES = new Set([
  '@cspotcode/source-map-support',
  'callsites',
  'error-stack-parser',
  'longjohn',
  'source-map-support',
  'stack-trace',
  'stacktrace-js',
  'trace',
]);

const STACK_NAMES =
  /^(?:prepareStackTrace\w*|defaultPrepareStackTrace|ErrorPrepareStackTrace|captureLargerStackTrace|getErrorSource\w*|NodeError|[uU][vV]Exception\w*)$/;

/** `writeSync` of a stream that writes to a file: how stdout is written where it is one. */
const isFileOutput = ({ name, url }: CpuFunction): boolean =>
  url === 'node:internal/fs/sync_write_stream' && name.includes('rite');

export function kindOf(one: CpuFunction): Kind {
  const { name, url } = one;
  if (url === '') {
    if (name === 'consoleCall') return 'logging';
    return name === 'get stack' || name === 'captureStackTrace' ? 'stack' : 'none';
  }
  if (!url.startsWith('node:')) {
    if (one.package === null) return 'none';
    if (LOGGERS.has(one.package)) return 'logging';
    return STACK_PACKAGES.has(one.package) ? 'stack' : 'none';
  }
  if (url.startsWith('node:internal/console/') || isFileOutput(one)) return 'logging';
  // Hardly ever made for anything but a line that somebody may read.
  if (url === 'node:internal/util/inspect') return 'logging';
  if (url.startsWith('node:internal/source_map/')) return 'stack';
  // An assertion that fails compares, renders the difference and captures a stack; as an answer it is the dearest of all.
  if (url === 'node:internal/assert/assertion_error') return 'stack';
  if (url === 'node:internal/errors') return STACK_NAMES.test(name) ? 'stack' : 'none';
  if (/^node:(?:internal\/)?(?:fs|child_process)\b/.test(url)) return name.endsWith('Sync') ? 'io' : 'none';
  if (/^node:(?:internal\/)?crypto\b/.test(url)) return 'crypto';
  if (url === 'node:zlib') return /Sync$|^zlibBufferSync$|^processChunkSync$/.test(name) ? 'compression' : 'none';
  // The function that compiles, and not what is compiled: `runInThisContext` runs code of the application.
  if (url === 'node:vm' && /^(?:Script|compileFunction|SourceTextModule)$/.test(name)) return 'compiling';
  return 'none';
}

export interface NodeKinds {
  /** Per node: index into `KINDS`. */
  readonly kind: Uint8Array;
  /** Per node: the outermost node of its kind above it, itself where it is that one, −1 where it has none. */
  readonly top: Int32Array;
}

/**
 * Work that never calls the application: an application's function below it is a callback of the asynchronous form, and
 * works for something else.
 */
const LEAVES: ReadonlySet<Kind> = new Set<Kind>(['io', 'crypto', 'compression', 'compiling']);

/** Loading is what `loading` says; below a frame of a kind, everything is of that kind. */
export function markKinds(
  { nodeCount, parent, functionOf, functions }: CpuProfile,
  loading: Uint8Array,
  isOutput: (node: number) => boolean,
): NodeKinds {
  const kind = new Uint8Array(nodeCount);
  const top = new Int32Array(nodeCount).fill(-1);
  const byFunction = Uint8Array.from(functions, (one) => KINDS.indexOf(kindOf(one)));
  for (let node = 1; node < nodeCount; node += 1) {
    const above = parent[node] as number;
    const isLoading = loading[node] !== LOADING.no;
    const { category } = functions[functionOf[node] as number] as CpuFunction;
    const isOwn = category === 'application' || category === 'dependency';
    const isCallback = isOwn && LEAVES.has(KINDS[kind[above] as number] as Kind);
    if (!isCallback && kind[above] !== 0 && (isLoading || loading[above] === LOADING.no)) {
      kind[node] = kind[above] as number;
      top[node] = top[above] as number;
      continue;
    }
    const own = byFunction[functionOf[node] as number] as number;
    kind[node] = isLoading ? KINDS.indexOf('loading') : own === 0 && isOutput(node) ? KINDS.indexOf('logging') : own;
    if (kind[node] !== 0) top[node] = node;
  }
  return { kind, top };
}
