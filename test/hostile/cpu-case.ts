/** The thread that damages and reads small CPU profiles: general damages, and those that only these formats can have. */
import {
  describeTop,
  EXPORT_FORMATS,
  exportProfile,
  GROUPINGS,
  readCpuProfileChunks,
  readV8LogChunks,
} from '../../src/cpu/index.ts';
import type { Random } from '../simulation/random.ts';
import { mutate, type Mutated, type Original } from './mutate.ts';
import { serveTrial } from './serve-trial.ts';

interface Node {
  id: number;
  children?: number[];
  hitCount?: number;
  [field: string]: unknown;
}
type Fields = Record<string, unknown> & { nodes: Node[]; samples: number[]; timeDeltas: number[] };

/** Changes a parsed cpuprofile and says what it did. */
type Damage = (random: Random, profile: Fields) => string;

const ODD_NUMBERS = [0, -1, 1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1e300, 1e-300];

const STRUCTURAL: readonly Damage[] = [
  (random, { nodes }) => {
    const node = random.pick(nodes);
    const child = random.pick(nodes).id;
    node.children = [...(node.children ?? []), child];
    return `node ${node.id} calls node ${child} (cycles, second parents)`;
  },
  (random, { nodes }) => {
    const node = random.pick(nodes);
    const id = random.pick([...ODD_NUMBERS, random.pick(nodes).id]);
    node.id = id;
    return `a node has the id ${id}`;
  },
  (random, profile) => {
    const at = random.between(0, profile.samples.length - 1);
    profile.samples[at] = random.pick(ODD_NUMBERS);
    return `samples[${at}] is ${profile.samples[at]}`;
  },
  (random, profile) => {
    const count = random.between(1, 20);
    for (let change = 0; change < count; change += 1)
      profile.timeDeltas[random.between(0, profile.timeDeltas.length - 1)] = random.pick(ODD_NUMBERS);
    return `${count} odd times`;
  },
  (random, profile) => {
    const key = random.pick(['samples', 'timeDeltas', 'nodes'] as const);
    profile[key].length = random.between(0, profile[key].length);
    return `${key} has ${profile[key].length} entries`;
  },
  (random, profile) => {
    const keys = Object.keys(profile);
    const key = random.pick(keys);
    const value = random.pick(['gone', null, [], {}, 'text', 7, [[]], [{}], ['x'], [null], 1e300, -5]);
    if (value === 'gone') delete profile[key];
    else profile[key] = value;
    return `${key} is ${JSON.stringify(value)}`;
  },
  (random, { nodes }) => {
    const node = random.pick(nodes);
    const key = random.pick(Object.keys(node));
    node[key] = random.pick([null, [], {}, 'text', -7, 1e300, [1e300], [{ line: -1, ticks: 1e300 }], { url: 5 }]);
    return `${key} of a node is ${JSON.stringify(node[key])}`;
  },
  (random, profile) => {
    const depth = random.pick([10, 1_000, 20_000]);
    const first = profile.nodes.length + 1000;
    const chain = Array.from({ length: depth }, (_, at) => ({
      id: first + at,
      callFrame: { functionName: `deep ${at % 7}`, url: '/app/a.js', lineNumber: at % 7, columnNumber: 0 },
      hitCount: 1,
      ...(at + 1 < depth ? { children: [first + at + 1] } : {}),
    }));
    const root = profile.nodes[0] as Node;
    root.children = [...(root.children ?? []), first];
    profile.nodes.push(...(random.next() < 0.5 ? chain : chain.reverse()));
    profile.samples[0] = first + depth - 1;
    return `a stack of ${depth} calls`;
  },
];

function damage(random: Random, originals: readonly Original[]): Mutated {
  const original = random.pick(originals);
  if (!original.name.startsWith('cpuprofile') || random.next() < 0.5) {
    const { what, bytes } = mutate(random, original);
    return { what: `${original.name}: ${what}`, bytes };
  }
  const profile = JSON.parse(Buffer.from(original.bytes).toString()) as Fields;
  const what = random.pick(STRUCTURAL)(random, profile);
  return { what: `${original.name}: ${what}`, bytes: Buffer.from(JSON.stringify(profile)) };
}

/** Everything that `cpu top` and `cpu export` do with a file. */
async function read(bytes: Uint8Array): Promise<void> {
  const middle = bytes.length >> 1;
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes.subarray(0, middle);
    yield bytes.subarray(middle);
  };
  if (Buffer.from(bytes.subarray(0, 10)).toString('latin1') === 'v8-version') {
    await readV8LogChunks(chunks(), 'damaged');
    return;
  }
  const profile = await readCpuProfileChunks(chunks(), 'damaged');
  for (const by of GROUPINGS) describeTop(profile, { by, sort: 'total', top: null, paths: 5 });
  if (profile.samples.startUs.length !== profile.samples.count) throw new Error('a start for every sample');
  for (const selfUs of profile.selfUs) if (!(selfUs >= 0 && selfUs <= 1e15)) throw new Error(`a time of ${selfUs}`);
  // Stacks of deep trees are written out in full, which is theirs to pay for, not this test's.
  if (profile.nodeCount < 5_000)
    for (const format of EXPORT_FORMATS) for (const part of exportProfile(profile, format)) void part;
}

await serveTrial<readonly Original[]>({ mutate: damage, read });
