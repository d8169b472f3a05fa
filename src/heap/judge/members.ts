/** What piled up at a place, looked at closely: which classes, and how many bytes of what. */
import type { Place } from '../compare/growth.ts';
import { labelOfNode } from '../compare/labels.ts';
import type { Territory } from '../compare/territory.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { NONE } from '../source/words.ts';

export interface Members {
  /** What is held directly, storage and keys aside: ordinals, at most `MOST_SAMPLES`. */
  readonly entries: readonly number[];
  /** Strings that are held directly: keys, as a rule. Ordinals, at most `MOST_SAMPLES`. */
  readonly keys: readonly number[];
  /** By label of their class, all new objects of the place, the most bytes first. */
  readonly classes: readonly { readonly label: string; readonly count: number; readonly bytes: number }[];
  readonly bytes: number;
  /** Bytes of array buffers and other memory outside the heap. */
  readonly bufferBytes: number;
  /** Bytes that are reached through the async context of something else. */
  readonly contextBytes: number;
  /** A frame of an async context, from Node 24 on; NONE if there is none. */
  readonly frame: number;
  /** The longest chain of scopes one in the other. */
  readonly scopeDepth: number;
}

const MOST_SAMPLES = 60;
/** Names of the symbols under which Node keeps the async context of a resource, up to 22 and from 24 on. */
const ASYNC_CONTEXT = /kAsyncContextFrame|kResourceStore|async_context/;

export function readMembers(territory: Territory, place: Place): Members {
  const { reading, ownership, holdings, holdingOf } = territory;
  const { graph, words } = reading;
  const wanted = new Uint8Array(holdings.length);
  const ours = new Set(place.holdings);
  for (const [at, holding] of holdings.entries()) if (ours.has(holding)) wanted[at] = 1;

  const isOld = (node: number): boolean => holdingOf[node] === NONE;
  const entries: number[] = [];
  const keys: number[] = [];
  const classes = new Map<string, { label: string; count: number; bytes: number }>();
  const inContext = new Uint8Array(graph.nodeCount);
  const depth = new Uint32Array(graph.nodeCount);
  let bytes = 0;
  let bufferBytes = 0;
  let contextBytes = 0;
  let scopeDepth = 0;
  let frame = NONE;
  for (const node of ownership.order) {
    const at = holdingOf[node] as number;
    if (at === NONE || wanted[at] === 0) continue;
    const owner = ownership.parent[node] as number;
    const edge = ownership.parentEdge[node] as number;
    const size = graph.selfSize[node] as number;
    const label = labelOfNode(reading, node);
    let sum = classes.get(label);
    if (sum === undefined) classes.set(label, (sum = { label, count: 0, bytes: 0 }));
    sum.count++;
    sum.bytes += size;
    bytes += size;
    const isStorage = graph.nodeType[node] === NODE.array;
    const isHeld = isOld(owner) || (graph.nodeType[owner] === NODE.array && isOld(ownership.parent[owner] as number));
    if (!isStorage && isHeld) (graph.nodeType[node] === NODE.string ? keys : entries).push(node);
    if (graph.nodeType[node] === NODE.native || label === 'ArrayBuffer') bufferBytes += size;
    if (label === 'AsyncContextFrame') frame = node;
    const isContextEdge =
      label === 'AsyncContextFrame' ||
      (graph.edgeType[edge] === EDGE.property && ASYNC_CONTEXT.test(graph.strings.get(graph.edgeName[edge] as number)));
    if (isContextEdge || inContext[owner] === 1) {
      inContext[node] = 1;
      contextBytes += size;
    }
    const isScope = graph.nodeType[node] === NODE.object && words.isNamed(node, 'system / Context');
    depth[node] = (depth[owner] as number) + (isScope ? 1 : 0);
    scopeDepth = Math.max(scopeDepth, depth[node]);
  }
  return {
    // Strings beside something else are its keys.
    entries: (entries.length > 0 ? entries : keys).slice(0, MOST_SAMPLES),
    keys: keys.slice(0, MOST_SAMPLES),
    classes: [...classes.values()].sort((a, b) => b.bytes - a.bytes),
    bytes,
    bufferBytes,
    contextBytes,
    frame,
    scopeDepth,
  };
}
