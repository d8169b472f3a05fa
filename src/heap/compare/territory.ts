/**
 * What is new in a snapshot, by the old holder that owns it: each object that another snapshot does not have belongs to
 * the nearest of its owners which both have. The table of a Map is replaced when it grows, so what is in it belongs to
 * the Map; a list that is prepended to is new down to the old head, so it belongs to the variable.
 */
import { NONE } from '../source/words.ts';
import { isCollection, isStorage, labelOfEdge, labelOfNode } from './labels.ts';
import { type Ownership, readOwnership } from './ownership.ts';
import type { Reading } from './reading.ts';

/** New objects that hang from one holder, by one way, and begin with one class. */
export interface Holding {
  /** Ordinal of the old holder. */
  readonly holder: number;
  /** How the holder leads to them. */
  readonly slot: string;
  /** An edge by which it does. */
  readonly edge: number;
  /** What they begin with. */
  readonly className: string;
  /** A typical first one: its ordinal. */
  readonly example: number;
  /** Of `className`, directly held. */
  entries: number;
  /** All objects, with what the entries own. */
  count: number;
  bytes: number;
  /** Of `count`, those that the snapshot after this one still has. */
  survivors: number;
}

export interface Territory {
  readonly reading: Reading;
  readonly ownership: Ownership;
  readonly holdings: readonly Holding[];
  /** Per node: index into `holdings`; NONE for old nodes and for what is no data. */
  readonly holdingOf: Uint32Array;
}

/**
 * @param isStable Per node, whether the other snapshot of the step has it too.
 * @param next Per node, its ordinal in the snapshot after this one; absent for the last.
 * @param ownership Where it is known; found anew, with paths that stay among what is stable, where it is not.
 */
export function readTerritory(
  reading: Reading,
  isStable: Uint8Array,
  next: Uint32Array | undefined,
  ownership: Ownership = readOwnership(reading.words, reading.scripts, isStable),
): Territory {
  const { graph } = reading;
  const { parent, parentEdge, order } = ownership;
  const holdings: Holding[] = [];
  const byKey = new Map<string, number>();
  /** Per node: its holding; for old nodes NONE. */
  const holdingOf = new Uint32Array(graph.nodeCount).fill(NONE);
  /** Per new node: the edge that leads from the old holder towards it. */
  const slotEdge = new Uint32Array(graph.nodeCount).fill(NONE);
  /** Per new node: the old holder. */
  const holderOf = new Uint32Array(graph.nodeCount).fill(NONE);

  for (const node of order) {
    if (isStable[node] === 1) continue;
    const owner = parent[node] as number;
    const isFirst = isStable[owner] === 1;
    const keeper = isFirst ? ownerOfStorage(owner) : owner;
    holderOf[node] = isFirst ? keeper : (holderOf[owner] as number);
    if (isFirst) slotEdge[node] = parentEdge[keeper === owner ? node : owner] as number;
    else slotEdge[node] = slotEdge[owner] as number;
    const isEntry = isFirst || (holdingOf[owner] !== NONE && isStorageOfHolder(owner));
    let at = isEntry ? NONE : (holdingOf[owner] as number);
    if (isEntry) {
      const holder = holderOf[node];
      const slot = isCollection(reading, holder) ? '[]' : labelOfEdge(reading, holder, slotEdge[node]);
      const className = labelOfNode(reading, node);
      const key = `${holder} ${slot} ${className}`;
      at = byKey.get(key) ?? NONE;
      if (at === NONE) {
        at = holdings.length;
        byKey.set(key, at);
        holdings.push({
          holder,
          slot,
          edge: slotEdge[node],
          className,
          example: node,
          entries: 0,
          count: 0,
          bytes: 0,
          survivors: 0,
        });
      }
      (holdings[at] as Holding).entries++;
    }
    holdingOf[node] = at;
    const holding = holdings[at] as Holding;
    holding.count++;
    holding.bytes += graph.selfSize[node] as number;
    if (next !== undefined && next[node] !== NONE) holding.survivors++;
  }

  /**
   * Whose storage an old node is, or the node itself. Storage that has room stays in one step and is replaced in the next; what
   * came meanwhile is held by one and the same holder.
   */
  function ownerOfStorage(node: number): number {
    const owner = parent[node] as number;
    return isStorage(reading, node) && owner !== NONE && isStable[owner] === 1 ? owner : node;
  }

  /** New storage between an old holder and what it holds: what hangs from it is as good as held directly. */
  function isStorageOfHolder(node: number): boolean {
    return isStorage(reading, node) && (holdings[holdingOf[node] as number] as Holding).className === '(storage)';
  }
  return { reading, ownership, holdings, holdingOf };
}
