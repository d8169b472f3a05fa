/**
 * Where each frame of a view lies, in typed arrays, row by row and from left to right: what is drawn, hit and walked is
 * found by halving, and the cost of a picture depends on its pixels and not on the number of frames.
 *
 * Positions are in the unit of the weights, from 0 to `extent`; pixels come in with the viewport.
 */
import { sumTotals, type FlameTimeline, type FlameTree } from './model.ts';

export interface FlameLayout {
  readonly count: number;
  readonly rowCount: number;
  readonly extent: number;
  /** Frames of row `r` are `rowStart[r]` up to `rowStart[r + 1]`; one more entry than rows. */
  readonly rowStart: Uint32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly labelOf: Uint32Array;
  /** Frame above (the caller; below it in time, above it on the screen); −1 for those of the first row. */
  readonly parent: Int32Array;
  readonly depth: Uint16Array;
  /** Node of the tree that the layout was made of. */
  readonly node: Uint32Array;
  /** Weight with and without children. For frames in time: of this one call. */
  readonly total: Float64Array;
  readonly self: Float64Array;
  /** The same before; null unless the tree is differential. */
  readonly totalBefore: Float64Array | null;
  readonly selfBefore: Float64Array | null;
}

/** Rows beyond are not drawn: a stack that deep is a recursion, and rows are counted in 16 bits. */
const MOST_ROWS = 0xffff;

/**
 * The widest child first. `width` says whose weights the widths are: frames that have none on that side are left out.
 * Totals may be given where they are not the sums of the tree (a tree of callers).
 */
export function layoutTree(
  tree: FlameTree,
  width: 'after' | 'before',
  given?: { readonly total: Float64Array; readonly totalBefore: Float64Array | null },
): FlameLayout {
  const total = given?.total ?? sumTotals(tree.parent, tree.self);
  const totalBefore = given?.totalBefore ?? (tree.selfBefore === null ? null : sumTotals(tree.parent, tree.selfBefore));
  const widths = width === 'before' && totalBefore !== null ? totalBefore : total;
  const { first, children } = groupChildren(tree, widths);
  const columns = new Columns(tree.count, totalBefore !== null);
  const rowStart: number[] = [0];
  if (tree.count > 0) columns.add(0, 0, widths[0] as number, tree.labelOf[0] as number, -1, 0);
  for (let at = 0, depth = 1; at < columns.count && depth < MOST_ROWS; depth += 1) {
    const rowEnd = columns.count;
    rowStart.push(rowEnd);
    for (; at < rowEnd; at += 1) {
      const node = columns.node[at] as number;
      let x = columns.start[at] as number;
      for (let index = first[node] as number; index < (first[node + 1] as number); index += 1) {
        const child = children[index] as number;
        const wide = widths[child] as number;
        // Sorted: nothing but nothing follows.
        if (!(wide > 0)) break;
        columns.add(child, x, x + wide, tree.labelOf[child] as number, at, depth);
        x += wide;
      }
    }
  }
  if (rowStart.at(-1) !== columns.count) rowStart.push(columns.count);
  const layout = columns.finish(rowStart, widths[0] ?? 0);
  for (let frame = 0; frame < layout.count; frame += 1) {
    const node = layout.node[frame] as number;
    layout.total[frame] = total[node] as number;
    layout.self[frame] = tree.self[node] as number;
    if (layout.totalBefore === null || layout.selfBefore === null) continue;
    layout.totalBefore[frame] = totalBefore?.[node] ?? 0;
    layout.selfBefore[frame] = tree.selfBefore?.[node] ?? 0;
  }
  return layout;
}

/** In order of time: a frame lasts as long as the same call path is on the stack. */
export function layoutTimeline(tree: FlameTree, timeline: FlameTimeline): FlameLayout {
  const depthOf = depths(tree);
  const opened: OpenFrames[] = [];
  /** The path that is open, by depth: node and when it began. */
  const path: number[] = [];
  const since: number[] = [];
  const selfOf: number[] = [];
  let now = 0;
  const close = (to: number): void => {
    while (path.length > to) {
      const depth = path.length - 1;
      const row = (opened[depth] ??= { node: [], start: [], end: [], self: [] });
      row.node.push(path.pop() as number);
      row.start.push(since.pop() as number);
      row.end.push(now);
      row.self.push(selfOf.pop() as number);
    }
  };
  const opening: number[] = [];
  for (let span = 0; span < timeline.count; span += 1) {
    const duration = timeline.duration[span] as number;
    if (!(duration > 0)) continue;
    // Up to what is open already: the cost is that of what changes, however deep the stack.
    opening.length = 0;
    let node = timeline.node[span] as number;
    while (node >= 0 && path[depthOf[node] as number] !== node) {
      if ((depthOf[node] as number) < MOST_ROWS) opening.push(node);
      node = tree.parent[node] as number;
    }
    close(node < 0 ? 0 : (depthOf[node] as number) + 1);
    for (let opened = opening.pop(); opened !== undefined; opened = opening.pop()) {
      path.push(opened);
      since.push(now);
      selfOf.push(0);
    }
    selfOf[path.length - 1] = (selfOf[path.length - 1] as number) + duration;
    now += duration;
  }
  close(0);
  return joinRows(tree, opened, now);
}

interface OpenFrames {
  readonly node: number[];
  readonly start: number[];
  readonly end: number[];
  readonly self: number[];
}

function joinRows(tree: FlameTree, rows: readonly OpenFrames[], extent: number): FlameLayout {
  let count = 0;
  for (const row of rows) count += row.node.length;
  const columns = new Columns(count, false);
  const rowStart: number[] = [0];
  const selves: number[] = [];
  for (const [depth, row] of rows.entries()) {
    let above = rowStart.at(-2) ?? 0;
    const lastAbove = (rowStart.at(-1) ?? 0) - 1;
    for (const [index, node] of row.node.entries()) {
      const start = row.start[index] as number;
      const end = row.end[index] as number;
      while (above < lastAbove && (columns.end[above] as number) <= start) above += 1;
      columns.add(node, start, end, tree.labelOf[node] as number, depth === 0 ? -1 : above, depth);
      selves.push(row.self[index] as number);
    }
    rowStart.push(columns.count);
  }
  const layout = columns.finish(rowStart, extent);
  for (let frame = 0; frame < layout.count; frame += 1) {
    layout.total[frame] = (layout.end[frame] as number) - (layout.start[frame] as number);
    layout.self[frame] = selves[frame] as number;
  }
  return layout;
}

function depths(tree: FlameTree): Uint32Array {
  const depth = new Uint32Array(tree.count);
  for (let node = 1; node < tree.count; node += 1) depth[node] = (depth[tree.parent[node] as number] as number) + 1;
  return depth;
}

/** Children of each node side by side, the widest first; equal ones in the order of the tree, so that pictures repeat. */
function groupChildren(tree: FlameTree, widths: Float64Array): { first: Uint32Array; children: Uint32Array } {
  const first = new Uint32Array(tree.count + 1);
  for (let node = 1; node < tree.count; node += 1) {
    const slot = (tree.parent[node] as number) + 1;
    first[slot] = (first[slot] as number) + 1;
  }
  for (let node = 1; node <= tree.count; node += 1) first[node] = (first[node] as number) + (first[node - 1] as number);
  const next = first.slice();
  const children = new Uint32Array(Math.max(0, tree.count - 1));
  for (let node = 1; node < tree.count; node += 1) {
    const above = tree.parent[node] as number;
    const slot = next[above] as number;
    children[slot] = node;
    next[above] = slot + 1;
  }
  for (let node = 0; node < tree.count; node += 1) {
    const from = first[node] as number;
    const to = first[node + 1] as number;
    if (to - from > 1)
      children.subarray(from, to).sort((a, b) => (widths[b] as number) - (widths[a] as number) || a - b);
  }
  return { first, children };
}

/** Columns of frames while they are found, at most `most` of them. */
class Columns {
  count = 0;
  readonly node: Uint32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly labelOf: Uint32Array;
  readonly parent: Int32Array;
  readonly depth: Uint16Array;
  readonly #isDifferential: boolean;

  constructor(most: number, isDifferential: boolean) {
    this.node = new Uint32Array(most);
    this.start = new Float64Array(most);
    this.end = new Float64Array(most);
    this.labelOf = new Uint32Array(most);
    this.parent = new Int32Array(most);
    this.depth = new Uint16Array(most);
    this.#isDifferential = isDifferential;
  }

  add(node: number, start: number, end: number, label: number, parent: number, depth: number): void {
    const at = this.count;
    this.node[at] = node;
    this.start[at] = start;
    this.end[at] = end;
    this.labelOf[at] = label;
    this.parent[at] = parent;
    this.depth[at] = depth;
    this.count = at + 1;
  }

  finish(rowStart: readonly number[], extent: number): FlameLayout {
    const { count } = this;
    const zeros = (): Float64Array => new Float64Array(count);
    return {
      count,
      rowCount: rowStart.length - 1,
      extent,
      rowStart: Uint32Array.from(rowStart),
      start: this.start.subarray(0, count),
      end: this.end.subarray(0, count),
      labelOf: this.labelOf.subarray(0, count),
      parent: this.parent.subarray(0, count),
      depth: this.depth.subarray(0, count),
      node: this.node.subarray(0, count),
      total: zeros(),
      self: zeros(),
      totalBefore: this.#isDifferential ? zeros() : null,
      selfBefore: this.#isDifferential ? zeros() : null,
    };
  }
}
