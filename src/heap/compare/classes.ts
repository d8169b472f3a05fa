/**
 * Growth by shape: class, where its constructor was written, and for plain objects their fields. Works between any two
 * snapshots, of different processes too, and says nothing about who holds the objects.
 */
import { EDGE, NODE } from '../model/node-types.ts';
import { isCollection, labelOfNode } from './labels.ts';
import type { Reading } from './reading.ts';

export interface ClassGrowth {
  /** `Session`, `{id, user}`, `function onData`, `(storage)`. */
  readonly name: string;
  /** Objects of it in each snapshot. */
  readonly counts: readonly number[];
  /** Their own bytes in each snapshot. */
  readonly bytes: readonly number[];
}

interface Sum {
  counts: number[];
  bytes: number[];
}

/** Gained from the first to the last snapshot, the most bytes first; classes that gained nothing are left out. */
export function compareClasses(readings: readonly Reading[]): ClassGrowth[] {
  const sums = new Map<string, Sum>();
  for (const [at, reading] of readings.entries()) {
    const { graph } = reading;
    const shapes = new Shapes(reading);
    for (let node = 0; node < graph.nodeCount; node++) {
      const type = graph.nodeType[node];
      // Compiled code and the shapes of objects are V8's.
      if (type === NODE.code || type === NODE['object shape'] || type === NODE.hidden || type === NODE.synthetic)
        continue;
      const name = shapes.of(node);
      let sum = sums.get(name);
      if (sum === undefined) sums.set(name, (sum = { counts: readings.map(() => 0), bytes: readings.map(() => 0) }));
      sum.counts[at] = (sum.counts[at] as number) + 1;
      sum.bytes[at] = (sum.bytes[at] as number) + (graph.selfSize[node] as number);
    }
  }
  const gain = ({ bytes }: Sum): number => (bytes.at(-1) as number) - (bytes[0] as number);
  return [...sums]
    .filter(([, sum]) => gain(sum) > 0)
    .sort((a, b) => gain(b[1]) - gain(a[1]))
    .map(([name, { counts, bytes }]) => ({ name, counts, bytes }));
}

/** Names of shapes; those of plain objects are made of their fields, once for each hidden class. */
class Shapes {
  private readonly reading: Reading;
  private readonly byMap = new Map<number, string>();

  constructor(reading: Reading) {
    this.reading = reading;
  }

  of(node: number): string {
    const { graph, words } = this.reading;
    if (graph.nodeType[node] !== NODE.object || !words.isNamed(node, 'Object')) return labelOfNode(this.reading, node);
    const map = words.follow(node, 'map');
    let name = this.byMap.get(map);
    if (name === undefined) this.byMap.set(map, (name = nameByFields(this.reading, node)));
    return name;
  }
}

const MOST_NAMED = 8;

/** A plain object by its fields, `{id, user}`; `Object` where it is a table or empty. */
export function nameByFields(reading: Reading, node: number): string {
  const { graph } = reading;
  if (isCollection(reading, node)) return 'Object';
  const names: string[] = [];
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end && names.length <= MOST_NAMED; edge++) {
    if (graph.edgeType[edge] !== EDGE.property) continue;
    const name = graph.strings.get(graph.edgeName[edge] as number);
    if (name !== '__proto__') names.push(name);
  }
  if (names.length === 0) return 'Object';
  return names.length > MOST_NAMED ? `{${names.slice(0, MOST_NAMED).join(', ')}, …}` : `{${names.join(', ')}}`;
}
