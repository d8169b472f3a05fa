/** The thread that damages and reads small heap snapshots: general damages, and those that only this format can have. */
import {
  analyzeHeap,
  findDominated,
  findPaths,
  findRetainers,
  findScripts,
  parseSnapshot,
} from '../../src/heap/index.ts';
import type { Random } from '../simulation/random.ts';
import { mutate, type Mutated, type Original } from './mutate.ts';
import { serveTrial } from './serve-trial.ts';

type Columns = Record<string, unknown> & {
  snapshot: { meta: Record<string, unknown>; [key: string]: unknown };
  nodes: number[];
  edges: number[];
};

/** Changes a parsed snapshot and says what it did. */
type Damage = (random: Random, snapshot: Columns) => string;

const width = (snapshot: Columns, fields: string): number => (snapshot.snapshot.meta[fields] as unknown[]).length;

const STRUCTURAL: readonly Damage[] = [
  (random, snapshot) => {
    const key = random.pick(['node_count', 'edge_count', 'trace_function_count', 'extra_native_bytes', 'root_index']);
    const value = random.pick([0, 1, 2 ** 31, 2 ** 32, 2 ** 53, -1, 0.5, null, 'many']);
    snapshot.snapshot[key] = value;
    return `snapshot.${key} is ${JSON.stringify(value)}`;
  },
  (random, snapshot) => {
    const count = random.between(1, 40);
    const edgeWidth = width(snapshot, 'edge_fields');
    const nodeWidth = width(snapshot, 'node_fields');
    for (let change = 0; change < count; change += 1) {
      const edge = random.between(0, snapshot.edges.length / edgeWidth - 1) * edgeWidth;
      snapshot.edges[edge + 2] = random.between(0, snapshot.nodes.length / nodeWidth - 1) * nodeWidth;
    }
    return `${count} edges lead elsewhere (cycles, unreachable nodes)`;
  },
  (random, snapshot) => {
    const column = random.pick(['nodes', 'edges'] as const);
    const at = random.between(0, snapshot[column].length - 1);
    snapshot[column][at] = random.pick([0, -1, 7, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 0.25]);
    return `${column}[${at}] is ${snapshot[column][at]}`;
  },
  (random, snapshot) => {
    const column = random.pick(['nodes', 'edges'] as const);
    const length = random.between(0, snapshot[column].length);
    snapshot[column].length = length;
    return `${column} has ${length} numbers`;
  },
  (random, snapshot) => {
    const keys = Object.keys(snapshot);
    const key = random.pick(keys);
    const value = random.pick(['gone', null, [], {}, 'text', 7, [[]], [{}], ['x'], [null]]);
    if (value === 'gone') delete snapshot[key];
    else snapshot[key] = value;
    return `${key} is ${JSON.stringify(value)}`;
  },
  (random, snapshot) => {
    const key = random.pick(Object.keys(snapshot));
    const { [key]: value, ...rest } = snapshot;
    for (const other of Object.keys(snapshot)) delete snapshot[other];
    if (random.next() < 0.5) Object.assign(snapshot, { [key]: value }, rest);
    else Object.assign(snapshot, rest, { [key]: value });
    return `${key} stands elsewhere`;
  },
  (random, snapshot) => {
    const meta = snapshot.snapshot.meta;
    const key = random.pick(Object.keys(meta));
    const list = meta[key];
    if (Array.isArray(list) && random.next() < 0.7)
      list.splice(random.between(0, list.length), random.between(0, 2), 'extra');
    else meta[key] = random.pick([null, {}, [], 'x', 3, Array.from({ length: 1000 }, () => 'id')]);
    return `meta.${key} is ${JSON.stringify(meta[key]).slice(0, 60)}`;
  },
  (random, snapshot) => {
    let tree: unknown[] = [];
    const depth = random.pick([10, 1_000, 20_000]);
    for (let level = 0; level < depth; level += 1) tree = [level, 0, 1, 1, tree];
    snapshot['trace_tree'] = tree;
    return `an allocation tree of ${depth} levels`;
  },
];

function damage(random: Random, originals: readonly Original[]): Mutated {
  const original = random.pick(originals);
  if (random.next() < 0.6) return mutate(random, original);
  const snapshot = JSON.parse(Buffer.from(original.bytes).toString()) as Columns;
  const what = random.pick(STRUCTURAL)(random, snapshot);
  return { what: `${original.name}: ${what}`, bytes: Buffer.from(stringify(snapshot)) };
}

/** `JSON.stringify` has no stack for the deepest trees. */
function stringify(snapshot: Columns): string {
  const { trace_tree: tree, ...rest } = snapshot;
  if (!Array.isArray(tree) || tree.length !== 5) return JSON.stringify(snapshot);
  const open: string[] = [];
  let level: unknown = tree;
  while (Array.isArray(level) && level.length === 5) {
    open.push(`[${level.slice(0, 4).join()},`);
    level = level[4];
  }
  const text = `${open.join('')}${JSON.stringify(level)}${']'.repeat(open.length)}`;
  return JSON.stringify({ ...rest, trace_tree: 0 }).replace('"trace_tree":0', `"trace_tree":${text}`);
}

/** Everything that `heap analyze` and its sisters do with a file. */
async function read(bytes: Uint8Array): Promise<void> {
  const middle = bytes.length >> 1;
  const graph = await parseSnapshot([bytes.subarray(0, middle), bytes.subarray(middle)], 'damaged');
  for (let index = 0; index < graph.strings.count; index += 1) graph.strings.get(index);
  const analysis = await analyzeHeap(graph);
  findScripts(graph);
  findRetainers(graph);
  findDominated(analysis);
  if (graph.nodeCount > 1) findPaths(analysis, graph.nodeCount - 1, { max: 3 });
}

await serveTrial<readonly Original[]>({ mutate: damage, read });
