/**
 * Where functions, contexts and classes were written: the scripts of a snapshot by name. V8 writes locations with a
 * script's number only, yet every closure leads over `shared` to its Script node, whose name is the path or URL; so a
 * number gets its name from any closure of that script, and a context from its scope info or the closures that use it.
 * Nothing is read from disk here.
 */
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { NONE, type Words, wordNumber } from './words.ts';

/** Who wrote a script: the application, a package under `node_modules`, or Node and V8 themselves. */
export type ScriptKind = 'application' | 'dependency' | 'runtime';

export interface ExportedVariable {
  readonly name: string;
  /** Script node of the module that declares it. */
  readonly script: number;
}

export interface ScriptNames {
  /** Script node of a closure; NONE when it is built in. */
  scriptOfClosure(closure: number): number;
  /** Script node of a context: of the function whose variables it holds; NONE when unknown. */
  scriptOfContext(context: number): number;
  /** Name of the function whose variables a context holds; empty for modules and anonymous functions. */
  functionOfContext(context: number): string;
  /** Whether a context holds the variables of a module, and not of a function call. */
  isModuleContext(context: number): boolean;
  /** The contexts of modules with their Script nodes. */
  readonly moduleContexts: ReadonlyMap<number, number>;
  /** V8's records of ECMAScript modules, which hold what they export, with their Script nodes. */
  readonly modules: ReadonlyMap<number, number>;
  /** Variables that modules export, by the cell that holds their value. */
  readonly exportCells: ReadonlyMap<number, ExportedVariable>;
  /** Script nodes of all functions there are. */
  readonly scripts: readonly number[];
  /** Script nodes by V8's number, as locations have it. */
  scriptById(scriptId: number): number;
  /** Path or URL as V8 has it. */
  fileOf(script: number): string;
  kindOf(script: number): ScriptKind;
  /** The start of the script's text, as far as the snapshot has it (V8 cuts strings at 1,024 characters); `isWhole` says whether that is all. */
  sourceOf(script: number): { readonly text: string; readonly isWhole: boolean };
}

export function kindOfFile(file: string): ScriptKind {
  if (file.startsWith('node:') || file === '' || file.startsWith('native ')) return 'runtime';
  return /[\\/]node_modules[\\/]/.test(file) ? 'dependency' : 'application';
}

/** Scopes one inside the other that are looked at for a function. */
const MOST_SCOPES = 8;

const SHARED = wordNumber('shared');
const CONTEXT = wordNumber('context');
const SCRIPT = wordNumber('script');
const SCRIPT_OR_DEBUG_INFO = wordNumber('script_or_debug_info');
const NAME_OR_SCOPE_INFO = wordNumber('name_or_scope_info');

export function readScriptNames(words: Words): ScriptNames {
  const { graph } = words;
  const { nodeType, nodeCount, edgeTo, edgeType, firstEdge } = graph;
  const nodeName = (node: number): string => graph.strings.get(graph.nodeName[node] as number);
  const scriptOfShared = new Map<number, number>();
  const sharedOfScope = new Map<number, number>();
  const closureOfContext = new Map<number, number>();
  const sharedOfClosure = new Map<number, number>();
  const contexts: number[] = [];
  const moduleNodes: number[] = [];

  const readShared = (shared: number): number => {
    let script = scriptOfShared.get(shared);
    if (script !== undefined) return script;
    script = NONE;
    for (let edge = firstEdge[shared] as number; edge < (firstEdge[shared + 1] as number); edge++) {
      if (edgeType[edge] !== EDGE.internal) continue;
      const word = words.ofEdge(edge);
      const to = edgeTo[edge] as number;
      if (word === SCRIPT || word === SCRIPT_OR_DEBUG_INFO) script = asScript(words, to);
      else if (word === NAME_OR_SCOPE_INFO && nodeType[to] === NODE.code) sharedOfScope.set(to, shared);
    }
    scriptOfShared.set(shared, script);
    return script;
  };

  for (let node = 0; node < nodeCount; node++) {
    const type = nodeType[node];
    if (type === NODE.closure) {
      let shared = NONE;
      let context = NONE;
      for (let edge = firstEdge[node] as number; edge < (firstEdge[node + 1] as number); edge++) {
        if (edgeType[edge] !== EDGE.internal) continue;
        const word = words.ofEdge(edge);
        if (word === SHARED) shared = edgeTo[edge] as number;
        else if (word === CONTEXT) context = edgeTo[edge] as number;
      }
      if (shared === NONE) continue;
      sharedOfClosure.set(node, shared);
      const script = readShared(shared);
      if (script !== NONE && context !== NONE && !closureOfContext.has(context)) closureOfContext.set(context, node);
    } else if (type === NODE.object && words.isNamed(node, 'system / Context')) {
      contexts.push(node);
    } else if (type === NODE.code && words.follow(node, 'name_or_scope_info') !== NONE) {
      // Functions that no closure stands for at the moment still say whose scope a context is.
      readShared(node);
    } else if (type === NODE.hidden && words.isNamed(node, 'system / SourceTextModule')) {
      moduleNodes.push(node);
    }
  }

  const scriptById = new Map<number, number>();
  const { locations } = graph;
  for (let at = 0; at < locations.count; at++) {
    const id = locations.scriptId[at] as number;
    if (scriptById.has(id)) continue;
    const shared = sharedOfClosure.get(locations.node[at] as number);
    const script = shared === undefined ? NONE : (scriptOfShared.get(shared) as number);
    if (script !== NONE) scriptById.set(id, script);
  }

  const isModule = (context: number): boolean => {
    const previous = words.follow(context, 'previous');
    return previous === NONE || !words.isNamed(previous, 'system / Context');
  };
  const scopeFunction = (context: number): number => {
    const scope = words.follow(context, 'scope_info');
    return scope === NONE ? NONE : (sharedOfScope.get(scope) ?? NONE);
  };
  const innerOf = new Map<number, number>();
  for (const context of contexts) {
    const outer = words.follow(context, 'previous');
    if (outer !== NONE && !innerOf.has(outer)) innerOf.set(outer, context);
  }
  const scriptOfContext = (context: number): number => {
    // The function that made a scope may be gone, and all functions that use it may be in scopes inside (methods of a class).
    for (let at: number | undefined = context, depth = 0; at !== undefined && depth < MOST_SCOPES; depth++) {
      const shared = scopeFunction(at);
      const script = shared === NONE ? NONE : (scriptOfShared.get(shared) as number);
      if (script !== NONE) return script;
      const closure = closureOfContext.get(at);
      if (closure !== undefined) return scriptOfShared.get(sharedOfClosure.get(closure) as number) as number;
      at = innerOf.get(at);
    }
    return NONE;
  };
  const scriptOfClosure = (closure: number): number => {
    const shared = sharedOfClosure.get(closure);
    return shared === undefined ? NONE : (scriptOfShared.get(shared) as number);
  };
  const modules = new Map<number, number>();
  for (const context of contexts) {
    const module = words.follow(context, 'extension');
    if (module !== NONE && words.isNamed(module, 'system / SourceTextModule')) {
      modules.set(module, scriptOfContext(context));
    }
  }
  for (const module of moduleNodes) {
    if (modules.has(module)) continue;
    // A module without captured variables has no context of its own; its body is a generator.
    for (let edge = firstEdge[module] as number; edge < (firstEdge[module + 1] as number); edge++) {
      const to = edgeTo[edge] as number;
      if (!words.isNamed(to, 'Generator')) continue;
      const body = findClosure(words, to);
      if (body !== NONE) modules.set(module, scriptOfClosure(body));
    }
  }
  const moduleContexts = new Map<number, number>();
  const seen = new Map<number, number>();
  for (const context of contexts) {
    const script = isModule(context) ? scriptOfContext(context) : NONE;
    // Functions that are built in have contexts too, without a script: those of promises, one a promise.
    if (script === NONE) continue;
    moduleContexts.set(context, script);
    seen.set(script, (seen.get(script) ?? 0) + 1);
  }
  // A module runs once. What made several contexts is generated code that is called again and again.
  for (const [context, script] of moduleContexts) if ((seen.get(script) as number) > 1) moduleContexts.delete(context);
  const fileOf = (script: number): string => (script === NONE ? '' : nodeName(script));
  const kinds = new Map<number, ScriptKind>();

  return {
    scriptOfClosure,
    scriptOfContext,
    functionOfContext(context) {
      const shared = scopeFunction(context);
      const name = shared === NONE ? '' : nodeName(shared);
      return /^\(|^system \//.test(name) ? '' : name;
    },
    isModuleContext: (context) => moduleContexts.has(context),
    moduleContexts,
    modules,
    exportCells: readExportCells(words, modules),
    scripts: [...new Set(scriptOfShared.values())].filter((script) => script !== NONE),
    scriptById: (scriptId) => scriptById.get(scriptId) ?? NONE,
    fileOf,
    kindOf(script) {
      let kind = kinds.get(script);
      if (kind === undefined) kinds.set(script, (kind = kindOfFile(fileOf(script))));
      return kind;
    },
    sourceOf(script) {
      const source = script === NONE ? NONE : words.follow(script, 'source');
      if (source === NONE) return { text: '', isWhole: false };
      // Put together or cut out (jest wraps each module), its name is what V8 calls such strings, and no text.
      if (nodeType[source] !== NODE.string) return { text: '', isWhole: false };
      const text = nodeName(source);
      return { text, isWhole: text.length < 1024 };
    },
  };
}

/** A DebugInfo stands before the script while a debugger is attached. */
const asScript = (words: Words, node: number): number =>
  words.follow(node, 'source') === NONE ? words.follow(node, 'script') : node;

/** The function that a generator runs. */
function findClosure(words: Words, generator: number): number {
  const { graph } = words;
  const end = graph.firstEdge[generator + 1] as number;
  for (let edge = graph.firstEdge[generator] as number; edge < end; edge++) {
    const to = graph.edgeTo[edge] as number;
    if (graph.edgeType[edge] === EDGE.internal && graph.nodeType[to] === NODE.closure) return to;
  }
  return NONE;
}

/**
 * A module's table of exports is an array in which each name stands before its cell. Modules that hand on somebody else's
 * export have it in their table too; the one that declares it has the cell a second time, in its list of own exports,
 * which V8 keeps before the list of imports.
 */
function readExportCells(words: Words, modules: ReadonlyMap<number, number>): Map<number, ExportedVariable> {
  const { graph } = words;
  const cells = new Map<number, ExportedVariable>();
  const ranks = new Map<number, number>();
  for (const [module, script] of modules) {
    const named = new Map<number, string>();
    const places = new Map<number, number>();
    forEachEdge(graph, module, (edge) => {
      const list = graph.edgeTo[edge] as number;
      if (graph.edgeType[edge] !== EDGE.hidden || graph.nodeType[list] !== NODE.array) return;
      let before = NONE;
      forEachEdge(graph, list, (inner) => {
        const to = graph.edgeTo[inner] as number;
        if (words.isNamed(to, 'system / Cell')) {
          if (before !== NONE && graph.nodeType[before] === NODE.string) {
            named.set(to, graph.strings.get(graph.nodeName[before] as number));
          } else if (!places.has(to)) places.set(to, graph.edgeName[edge] as number);
        }
        before = to;
      });
    });
    for (const [cell, name] of named) {
      const rank = places.get(cell) ?? NONE;
      if (rank >= (ranks.get(cell) ?? NONE) && cells.has(cell)) continue;
      ranks.set(cell, rank);
      cells.set(cell, { name, script });
    }
  }
  return cells;
}

function forEachEdge(graph: HeapGraph, node: number, visit: (edge: number) => void): void {
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end; edge++) visit(edge);
}
