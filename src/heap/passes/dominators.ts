/**
 * Immediate dominators by Semi-NCA (L. Georgiadis, "Linear-time algorithms for dominators and related problems", 2005,
 * section 2.2; semidominators as in Lengauer and Tarjan, 1979), over arrays indexed by preorder number. Only retaining edges
 * count (`EdgeRules`), and what none of them reaches hangs from the root, as in DevTools.
 *
 * Two things save time and memory: an edge is looked at once, during the visit; and only edges to a smaller number are kept
 * (as lists, each begun at the node they lead to), because all others give their part of a semidominator at once.
 */
import type { HeapGraph } from '../model/graph.ts';
import { release } from '../model/release.ts';
import { visitRetained } from './retained-visit.ts';
import type { WeakMapNames } from './weak-map-edges.ts';

export interface Dominators {
  /** Per node; the root's own is 0. */
  readonly dominator: Uint32Array;
  /** All nodes, a dominator always before what it dominates. */
  readonly order: Uint32Array;
  /** Per node: 1 where it is reachable from the program's globals. */
  readonly isUser: Uint8Array;
  /** Memory that nobody needs any more and what comes next may have: 8 and 4 bytes a node. */
  readonly spare: readonly [ArrayBuffer, ArrayBuffer];
}

export function findDominators(graph: HeapGraph, weakMaps: WeakMapNames): Dominators {
  const { nodeCount } = graph;
  const { order, number, parent, cells, links, connected, isUser } = visitRetained(graph, weakMaps);
  // The numbers by node are not needed any more.
  const ancestor = number;
  ancestor.set(parent);
  let path = new Uint32Array(1024);

  // Downwards; a number's second cell is its larger retainers before, and the least semidominator above it afterwards.
  for (let w = connected - 1; w > 0; w -= 1) {
    let least = cells[2 * w] as number;
    const known = cells[2 * w + 1] as number;
    if (known < 0) links.start(-known);
    let from = known < 0 ? links.number : known;
    while (from !== 0 && least !== 0) {
      // Up from there over all numbers that were dealt with, making the way shorter for the next time.
      let top = from;
      let height = 0;
      for (let above = ancestor[top] as number; above > w; above = ancestor[above] as number) {
        if (height === path.length) {
          const longer = new Uint32Array(path.length * 2);
          longer.set(path);
          path = longer;
        }
        path[height++] = top;
        top = above;
      }
      let best = cells[2 * top + 1] as number;
      const end = ancestor[top] as number;
      while (height > 0) {
        const below = path[--height] as number;
        const own = cells[2 * below + 1] as number;
        if (own > best) cells[2 * below + 1] = best;
        else best = own;
        ancestor[below] = end;
      }
      if (best < least) least = best;
      if (known >= 0) break;
      links.step();
      from = links.number;
    }
    cells[2 * w] = least;
    cells[2 * w + 1] = least;
  }

  const idom = parent;
  for (let w = 1; w < connected; w += 1) {
    const semi = cells[2 * w] as number;
    let candidate = idom[w] as number;
    while (candidate > semi) candidate = idom[candidate] as number;
    idom[w] = candidate;
  }
  const dominator = new Uint32Array(ancestor.buffer);
  for (let w = 0; w < nodeCount; w += 1)
    dominator[order[w] as number] = w < connected ? (order[idom[w] as number] as number) : 0;
  release(links.memory);
  return { dominator, order, isUser, spare: [cells.buffer, parent.buffer] };
}
