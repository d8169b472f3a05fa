/**
 * Which category and which package a function belongs to, by rules on its name and place alone; the rules are listed in
 * docs/cpu.md. What V8 does inside of a function without a frame of its own (JSON.parse, a regular expression that is
 * still interpreted) counts for the function that called it: no profile says otherwise.
 */
import type { Category } from './profile.ts';

interface Place {
  readonly name: string;
  readonly url: string;
  readonly line: number;
}

/** What functions without a file are, where no rule knows them: `native` in V8's own formats, else nobody can tell. */
export type WithoutFile = 'native' | 'application';

/** V8's own entries of the tree; the last three as @datadog/pprof writes them. */
const META: ReadonlyMap<string, Category> = new Map([
  ['(root)', 'program'],
  ['(program)', 'program'],
  ['(idle)', 'idle'],
  ['(garbage collector)', 'gc'],
  ['Garbage Collection', 'gc'],
  ['Node.js', 'program'],
  ['Non JS threads activity', 'program'],
]);

export const isMeta = (name: string): boolean => META.has(name);

/** Files of Node, most special first. */
const NODE_FILES: readonly (readonly [RegExp, Category])[] = [
  [/^node:(?:internal\/)?crypto\b/, 'crypto'],
  [/^node:internal\/webcrypto\b/, 'crypto'],
  [/^node:(?:internal\/)?vm\b/, 'compilation'],
  [/^node:internal\/(?:modules|bootstrap|source_map|module)\b/, 'module-loading'],
  [/^node:module$/, 'module-loading'],
];

/** Functions of Node that only hand source text to V8's compiler: their self time is compilation. */
const COMPILING = new Set([
  'compileForInternalLoader',
  'compileFunction',
  'compileFunctionForCJSLoader',
  'compileSourceTextModule',
  'internalCompileFunction',
  'wrapSafe',
]);

/** Functions without a file: V8's frames for compiled code, C++ names of Node's bindings, and symbols that perf found. */
const FILELESS: readonly (readonly [RegExp, Category])[] = [
  [/^\(thread\) /, 'program'],
  [/^RegExp: /, 'regexp'],
  [/^JSON\.(?:parse|stringify)$/, 'json'],
  [/^(?:Builtin:|Builtins_|BytecodeHandler:)?(?:RegExp|RegExpExec|RegExpReplace|StringPrototypeMatch)/, 'regexp'],
  [/^(?:Builtin:|Builtins_)?Json(?:Parse|Stringify)/, 'json'],
  [/\bv8::internal::(?:Builtin_|Runtime_)?Json/, 'json'],
  [
    /\bv8::internal::(?:Builtin_|Runtime_)?(?:RegExp|IrregexpInterpreter|NativeRegExpMacroAssembler)|::RawMatch</,
    'regexp',
  ],
  [
    /\bv8::internal::(?:Heap|MarkCompact|Scavenger|Sweeper|Marking|ConcurrentMarking|YoungGeneration|MinorMarkSweep|Evacuat|GCTracer|IncrementalMarking|MarkingVisitor|PageEvacuation)/,
    'gc',
  ],
  [
    /\bv8::internal::(?:compiler::|maglev::|baseline::|interpreter::|Compiler|Parser|PreParser|Scanner|OptimizedCompilation|TurbofanCompilation|BytecodeGenerator|Builtin_Compile|CodeSerializer)/,
    'compilation',
  ],
  [
    /\bn(?:ode::)?crypto::|^(?:scrypt|pbkdf2|PKCS5|HMAC|EVP|SHA|sha|AES|aes|RSA|EC|BN|bn|ossl|OPENSSL|CRYPTO|gcm|x25519|chacha|poly1305|keccak)(?:[0-9]*_|[A-Z])/,
    'crypto',
  ],
  [/\bnode::contextify::|^compileFunction/, 'compilation'],
  [/\bnode::(?:loader|modules)::/, 'module-loading'],
];

export function categorize({ name, url, line }: Place, withoutFile: WithoutFile): Category {
  if (url === '') return categorizeFileless(name, line, withoutFile);
  if (url.startsWith('node:')) {
    const category = NODE_FILES.find(([pattern]) => pattern.test(url))?.[1] ?? 'node';
    return category === 'module-loading' && COMPILING.has(name) ? 'compilation' : category;
  }
  if (/\.so(?:\.[0-9.]+)?$|^\[/.test(url)) return categorizeFileless(name, 0, 'native');
  return findPackage(url) === null ? 'application' : 'dependency';
}

function categorizeFileless(name: string, line: number, withoutFile: WithoutFile): Category {
  const meta = META.get(name);
  if (meta !== undefined) return meta;
  const known = FILELESS.find(([pattern]) => pattern.test(name))?.[1];
  if (known !== undefined) return known;
  if (COMPILING.has(name)) return 'compilation';
  // Code of `eval` and `new Function` has no file but has lines; what is native has neither.
  return line > 0 ? 'application' : withoutFile;
}

const NODE_MODULES = '/node_modules/';

/**
 * The package that a file was installed as: the name after the last `node_modules`, which is right for npm, for Yarn's
 * archives and for pnpm, whose store has one more inside. Null for everything else.
 */
export function findPackage(url: string): string | null {
  const path = url.includes('\\') ? url.replaceAll('\\', '/') : url;
  const at = path.lastIndexOf(NODE_MODULES);
  if (at === -1) return null;
  const [first = '', second = ''] = path.slice(at + NODE_MODULES.length).split('/', 3);
  if (first === '.pnpm') return /^(@?[^@]+)@/.exec(second)?.[1]?.replace('+', '/') ?? null;
  if (first === '' || first.startsWith('.')) return null;
  return first.startsWith('@') && second !== '' ? `${first}/${second}` : first;
}
