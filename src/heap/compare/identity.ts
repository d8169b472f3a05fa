/**
 * Which objects of one snapshot are in another: by V8's id, which an object keeps for its life in one process. Ids of
 * different processes mean nothing to each other, and look alike because each begins to count at the same number; so
 * identity is granted only when the objects that share an id also share type and name.
 */
import type { HeapGraph } from '../model/graph.ts';
import { NONE } from '../source/words.ts';

export interface Identity {
  /** Per node of the earlier snapshot: its ordinal in the later one; NONE when it is gone. */
  readonly later: Uint32Array;
  /** Per node of the later snapshot: its ordinal in the earlier one; NONE when it is new. */
  readonly earlier: Uint32Array;
  /** Objects in both. */
  readonly commonCount: number;
  /** Of the objects that share an id, the share that also has the same type and name. */
  readonly agreement: number;
  /** Of the later objects with an id that the earlier snapshot had already given out, the share that it does not have. */
  readonly strangers: number;
  /** Whether the later snapshot has an id that is larger than all of the earlier one's, as taking it alone makes sure. */
  readonly isInOrder: boolean;
  /** Whether both snapshots can be of one process, the earlier one first. */
  readonly isOneProcess: boolean;
}

/** Below this, ids are taken to be coincidence. In one process names change rarely (a string is flattened, an object turned). */
const LEAST_AGREEMENT = 0.97;
/** Ids are given out in rising order, so a later snapshot has no new objects with old ids; a few natives are numbered otherwise. */
const MOST_STRANGERS = 0.1;

export function matchById(earlier: HeapGraph, later: HeapGraph): Identity {
  const find = indexById(earlier);
  const toLater = new Uint32Array(earlier.nodeCount).fill(NONE);
  const toEarlier = new Uint32Array(later.nodeCount).fill(NONE);
  const highest = highestId(earlier);
  const isInOrder = highestId(later) > highest;
  let common = 0;
  let asked = 0;
  let agreed = 0;
  let known = 0;
  let strangers = 0;
  for (let node = 0; node < later.nodeCount; node++) {
    const id = later.nodeId[node] as number;
    const other = find(id);
    if (id % 2 === 1 && id <= highest) {
      known++;
      if (other === NONE) strangers++;
    }
    if (other === NONE || toLater[other] !== NONE) continue;
    if (earlier.nodeType[other] !== later.nodeType[node]) {
      asked++;
      continue;
    }
    toLater[other] = node;
    toEarlier[node] = other;
    common++;
    // Names are decoded for a sample only; the step is prime, so that it does not follow the file's own rhythm.
    if (common % 17 === 0) {
      asked++;
      const same =
        earlier.strings.get(earlier.nodeName[other] as number) === later.strings.get(later.nodeName[node] as number);
      if (same) agreed++;
    }
  }
  const agreement = asked === 0 ? (common > 0 ? 1 : 0) : agreed / asked;
  const strangerShare = known === 0 ? 0 : strangers / known;
  return {
    later: toLater,
    earlier: toEarlier,
    commonCount: common,
    agreement,
    strangers: strangerShare,
    isInOrder,
    isOneProcess: isInOrder && common > 0 && agreement >= LEAST_AGREEMENT && strangerShare <= MOST_STRANGERS,
  };
}

/** Of the objects of the heap, whose ids are odd; natives may be numbered by their address. */
function highestId({ nodeCount, nodeId }: HeapGraph): number {
  let highest = 0;
  for (let node = 0; node < nodeCount; node++) {
    const id = nodeId[node] as number;
    if (id % 2 === 1 && id > highest) highest = id;
  }
  return highest;
}

/** From id to ordinal; NONE for ids that the snapshot does not have. */
function indexById(graph: HeapGraph): (id: number) => number {
  // Ids of the heap rise by two an object, so a table over them is small as long as most of the objects ever made still
  // live. Natives may be numbered by their address.
  const limit = 64 * graph.nodeCount + 1024;
  let highest = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    const id = graph.nodeId[node] as number;
    if (id < limit && id > highest) highest = id;
  }
  const table = new Uint32Array(highest + 1).fill(NONE);
  const others = new Map<number, number>();
  for (let node = 0; node < graph.nodeCount; node++) {
    const id = graph.nodeId[node] as number;
    if (id <= highest) table[id] = node;
    else others.set(id, node);
  }
  return (id) => (id <= highest ? (table[id] as number) : (others.get(id) ?? NONE));
}
