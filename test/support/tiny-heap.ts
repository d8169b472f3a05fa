/** Heaps of a handful of objects, built by hand in the shapes that V8 writes: what rules are tested on. Ids are given, so that several heaps can be snapshots of one process. */
import { EDGE, type EdgeTypeName, type HeapGraph, NODE, type NodeTypeName } from '../../src/heap/index.ts';

interface TinyNode {
  readonly type: NodeTypeName;
  readonly name: string;
  readonly id: number;
  readonly size: number;
  readonly edges: { readonly type: EdgeTypeName; readonly name: string | number; readonly to: number }[];
}

export class TinyHeap {
  private readonly nodes: TinyNode[] = [];
  private readonly places: { node: number; scriptId: number; line: number; column: number }[] = [];
  private readonly globalHandles: number;
  /** What the scopes of modules are in. */
  readonly nativeContext: number;
  private scripts = 0;

  constructor() {
    this.node('synthetic', '', 1, 0);
    const roots = this.node('synthetic', '(GC roots)', 3, 0);
    this.globalHandles = this.node('synthetic', '(Global handles)', 5, 0);
    this.nativeContext = this.node('hidden', 'system / NativeContext', 7, 0);
    const global = this.node('object', 'global', 9);
    this.edge(0, 'element', 1, roots);
    this.edge(0, 'shortcut', 2, global);
    this.edge(roots, 'element', 1, this.globalHandles);
  }

  /** Adds an object; gives its ordinal. */
  node(type: NodeTypeName, name: string, id: number, size = 32): number {
    this.nodes.push({ type, name, id, size, edges: [] });
    return this.nodes.length - 1;
  }

  edge(from: number, type: EdgeTypeName, name: string | number, to: number): void {
    this.nodes[from]?.edges.push({ type, name, to });
  }

  /** Held by a handle of the runtime. */
  handle(node: number): void {
    this.edge(this.globalHandles, 'element', 1, node);
  }

  /** A CommonJS module: a function `load` of it, held by a handle, and the scope with its variables. Takes 10 ids from `id`. */
  module(file: string, id: number, source = ''): { context: number; script: number; scriptId: number } {
    const scriptId = ++this.scripts;
    const script = this.node('code', file, id);
    const context = this.scope(script, id + 2, this.nativeContext);
    this.edge(script, 'internal', 'source', this.node('string', source, id + 6));
    const load = this.closure('load', script, context, id + 7, { scriptId, line: 0, column: 0 });
    this.handle(load);
    return { context, script, scriptId };
  }

  /** A scope of a script with the function that made it; `outer` is the scope around it. Takes 4 ids from `id`. */
  scope(script: number, id: number, outer: number, functionName = ''): number {
    const context = this.node('object', 'system / Context', id);
    const scope = this.node('code', 'system / ScopeInfo', id + 1);
    const shared = this.node('code', functionName === '' ? '(shared function info)' : functionName, id + 2);
    this.edge(context, 'internal', 'scope_info', scope);
    this.edge(context, 'internal', 'previous', outer);
    this.edge(shared, 'internal', 'name_or_scope_info', scope);
    this.edge(shared, 'internal', 'script', script);
    return context;
  }

  /** Names variables of a scope as V8 does for a block: in its scope info, while the edges of the scope are numbered. Takes an id a name from `id`. */
  blockNames(context: number, id: number, names: readonly string[]): void {
    const scope = this.nodes[context]?.edges.find(({ name }) => name === 'scope_info')?.to ?? 0;
    for (const [at, name] of names.entries()) this.edge(scope, 'hidden', at, this.node('string', name, id + at));
  }

  /** Takes two ids from `id`. */
  closure(
    name: string,
    script: number,
    context: number,
    id: number,
    at?: { readonly scriptId: number; readonly line: number; readonly column: number },
  ): number {
    const closure = this.node('closure', name, id);
    const shared = this.node('code', name, id + 1);
    this.edge(closure, 'internal', 'shared', shared);
    this.edge(closure, 'internal', 'context', context);
    this.edge(shared, 'internal', 'script', script);
    if (at !== undefined) this.places.push({ node: closure, ...at });
    return closure;
  }

  /** Where an object's constructor was written. */
  place(node: number, scriptId: number, line: number, column: number): void {
    this.places.push({ node, scriptId, line, column });
  }

  graph(): HeapGraph {
    const strings: string[] = [];
    const indexes = new Map<string, number>();
    const indexOf = (text: string): number => {
      let index = indexes.get(text);
      if (index === undefined) {
        indexes.set(text, (index = strings.length));
        strings.push(text);
      }
      return index;
    };
    const edges = this.nodes.flatMap((node) => node.edges);
    const firstEdge = [0];
    for (const node of this.nodes) firstEdge.push((firstEdge.at(-1) as number) + node.edges.length);
    const rows = this.places.toSorted((a, b) => a.node - b.node);
    const column = (pick: (row: (typeof rows)[number]) => number): Uint32Array => Uint32Array.from(rows, pick);
    return {
      nodeCount: this.nodes.length,
      edgeCount: edges.length,
      nodeType: Uint8Array.from(this.nodes, ({ type }) => NODE[type]),
      nodeName: Uint32Array.from(this.nodes, ({ name }) => indexOf(name)),
      nodeId: Uint32Array.from(this.nodes, ({ id }) => id),
      selfSize: Uint32Array.from(this.nodes, ({ size }) => size),
      detachedness: new Uint8Array(this.nodes.length),
      firstEdge: Uint32Array.from(firstEdge),
      edgeType: Uint8Array.from(edges, ({ type }) => EDGE[type]),
      edgeName: Uint32Array.from(edges, ({ name }) => (typeof name === 'number' ? name : indexOf(name))),
      edgeTo: Uint32Array.from(edges, ({ to }) => to),
      strings: {
        count: strings.length,
        get: (index: number) => strings[index] ?? '',
        findNumbered: (text: string) =>
          [...strings.keys()].filter((at) => /^\d/.test(strings[at] ?? '') && strings[at]?.includes(text)),
        byteLength: (index: number) => Buffer.byteLength(strings[index] ?? ''),
        find: (texts: readonly string[]) => texts.map((text) => indexes.get(text) ?? -1),
      },
      locations: {
        count: rows.length,
        node: column(({ node }) => node),
        scriptId: column(({ scriptId }) => scriptId),
        line: column(({ line }) => line),
        column: column((row) => row.column),
      },
      extraNativeBytes: 0,
      allocations: null,
      samples: { count: 0, timestampUs: new Float64Array(0), lastAssignedId: new Float64Array(0) },
    };
  }
}
