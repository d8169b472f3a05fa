/** Where what piles up is made, from the stacks of an allocation timeline: better than the place of its constructor. */
import type { HeapSuspect } from '../judge/verdict.ts';
import { NODE } from '../model/node-types.ts';
import type { HeapGraph } from '../model/graph.ts';
import { findAllocationStack } from '../passes/allocation-stack.ts';
import { pathOf } from '../source/declarations.ts';
import { type PlaceOptions, toShownLocation } from './places.ts';

const MOST_CALLERS = 3;
/** Different stacks that are counted. */
const MOST_EXAMPLES = 1_000;

/** The same suspects, with the functions that made a typical object where the file tells. */
export const nameAllocations = (
  suspects: readonly HeapSuspect[],
  graph: HeapGraph,
  options: PlaceOptions,
): readonly HeapSuspect[] =>
  graph.allocations === null ? suspects : suspects.map((suspect) => nameAllocation(suspect, graph, options));

const nameAllocation = (suspect: HeapSuspect, graph: HeapGraph, options: PlaceOptions): HeapSuspect => {
  const node = findTraced(suspect, graph);
  const frames = (node === -1 ? [] : findAllocationStack(graph, node)).filter(({ scriptName }) => scriptName !== '');
  if (frames.length === 0) return suspect;
  // The program's own functions say more than those of Node that they called.
  const own = frames.filter(({ scriptName }) => !scriptName.startsWith('node:'));
  const shown = (own.length === 0 ? frames : own).slice(0, MOST_CALLERS).map(({ name, scriptName, line, column }) => {
    const place = toShownLocation({ file: pathOf(scriptName), line, column }, options);
    return `${name === '' ? '(anonymous)' : name} at ${place.file}:${place.line}`;
  });
  return { ...suspect, allocation: shown.join(', called by ') };
};

/**
 * An object that was made where most of those like the typical one were made: V8 has no stack for some of them, which
 * optimised code made. Looks at what the holder has, and at what its table has.
 */
const findTraced = ({ path }: HeapSuspect, graph: HeapGraph): number => {
  const { nodeId, nodeName, nodeType, firstEdge, edgeTo, allocations } = graph;
  const [holder, typical] = path.slice(-2).map(({ id }) => nodeId.indexOf(id));
  if (holder === undefined || typical === undefined || holder === -1 || typical === -1) return typical ?? -1;
  const votes = new Map<number, number>();
  const examples = new Map<number, number>();
  const look = (from: number, depth: number): void => {
    for (let edge = firstEdge[from]!; edge < firstEdge[from + 1]! && examples.size < MOST_EXAMPLES; edge++) {
      const to = edgeTo[edge]!;
      const trace = allocations?.traceNodeId[to] ?? 0;
      if (nodeName[to] === nodeName[typical] && nodeType[to] === nodeType[typical] && trace !== 0) {
        votes.set(trace, (votes.get(trace) ?? 0) + 1);
        examples.set(trace, to);
      } else if (depth > 0 && nodeType[to] === NODE.array) look(to, depth - 1);
    }
  };
  look(holder, 1);
  const [best] = [...votes].toSorted((one, two) => two[1] - one[1]);
  return best === undefined ? typical : examples.get(best[0])!;
};
