/** Self and total time, per node of the tree and per function, file, package or category. */
import { CATEGORIES, type CpuFunction, type CpuProfile } from '../model/profile.ts';

export const GROUPINGS = ['function', 'file', 'package', 'category'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Total {
  /** Name of the function, the file, the package or the category. */
  readonly name: string;
  /** Index into `functions` where functions are counted; null for groups of them. */
  readonly functionIndex: number | null;
  /** In the profile's unit, microseconds nearly always. */
  readonly selfUs: number;
  /** With everything that was called; a function that is on the stack twice counts once. */
  readonly totalUs: number;
  readonly hits: number;
}

/** Per node: its own time and that of everything below. Parents stand before children, so one pass backwards does it. */
export function totalUsByNode({ nodeCount, parent, selfUs }: CpuProfile): Float64Array {
  const totalUs = Float64Array.from(selfUs);
  for (let node = nodeCount - 1; node > 0; node -= 1) {
    const above = parent[node] as number;
    totalUs[above] = (totalUs[above] as number) + (totalUs[node] as number);
  }
  return totalUs;
}

/**
 * Self and total of every function, file, package or category that has a node, most self time first. Recursion counts
 * once: a node adds to its group's total only where nothing above it is of the same group.
 */
export function listTotals(profile: CpuProfile, grouping: Grouping = 'function'): Total[] {
  const { groupOf, names } = groupFunctions(profile.functions, grouping);
  const { nodeCount, functionOf, selfUs, hits } = profile;
  const self = new Float64Array(names.length);
  const total = new Float64Array(names.length);
  const count = new Float64Array(names.length);
  const isSeen = new Uint8Array(names.length);
  const totalUs = totalUsByNode(profile);
  const isOutermost = markOutermost(profile, groupOf, names.length);
  for (let node = 0; node < nodeCount; node += 1) {
    const group = groupOf[functionOf[node] as number] as number;
    isSeen[group] = 1;
    self[group] = (self[group] as number) + (selfUs[node] as number);
    count[group] = (count[group] as number) + (hits[node] as number);
    if (isOutermost[node] === 1) total[group] = (total[group] as number) + (totalUs[node] as number);
  }
  const totals: Total[] = [];
  for (const [group, name] of names.entries()) {
    // The root is above everything: as one of a group it would make the group as large as the profile.
    if (isSeen[group] === 0 || (grouping !== 'function' && name === ROOT && self[group] === 0)) continue;
    const functionIndex = grouping === 'function' ? group : null;
    totals.push({
      name,
      functionIndex,
      selfUs: self[group] as number,
      totalUs: total[group] as number,
      hits: count[group] as number,
    });
  }
  return totals.sort((a, b) => b.selfUs - a.selfUs || b.totalUs - a.totalUs || (a.name < b.name ? -1 : 1));
}

/** Per node, whether no node above it belongs to the same group. One walk over the tree, however deep. */
export function markOutermost(
  { nodeCount, parent, functionOf }: Pick<CpuProfile, 'nodeCount' | 'parent' | 'functionOf'>,
  groupOf: Uint32Array,
  groupCount: number,
): Uint8Array {
  const { firstChild, nextSibling } = linkChildren(nodeCount, parent);
  const isOutermost = new Uint8Array(nodeCount);
  const openCount = new Uint32Array(groupCount);
  let node = nodeCount === 0 ? -1 : 0;
  while (node !== -1) {
    const group = groupOf[functionOf[node] as number] as number;
    if (openCount[group] === 0) isOutermost[node] = 1;
    openCount[group] = (openCount[group] as number) + 1;
    let next = firstChild[node] as number;
    while (next === -1 && node !== -1) {
      const done = groupOf[functionOf[node] as number] as number;
      openCount[done] = (openCount[done] as number) - 1;
      next = nextSibling[node] as number;
      node = parent[node] as number;
    }
    node = next;
  }
  return isOutermost;
}

/** First child and next sibling of every node, −1 where there is none; children in the order of the nodes. */
export function linkChildren(
  nodeCount: number,
  parent: Int32Array,
): { readonly firstChild: Int32Array; readonly nextSibling: Int32Array } {
  const firstChild = new Int32Array(nodeCount).fill(-1);
  const nextSibling = new Int32Array(nodeCount).fill(-1);
  for (let node = nodeCount - 1; node > 0; node -= 1) {
    const above = parent[node] as number;
    nextSibling[node] = firstChild[above] as number;
    firstChild[above] = node;
  }
  return { firstChild, nextSibling };
}

interface Groups {
  /** Per function. */
  readonly groupOf: Uint32Array;
  readonly names: readonly string[];
}

function groupFunctions(functions: readonly CpuFunction[], grouping: Grouping): Groups {
  if (grouping === 'function') {
    return { groupOf: Uint32Array.from(functions.keys()), names: functions.map(({ name }) => name) };
  }
  const indexes = new Map<string, number>();
  if (grouping === 'category') for (const category of CATEGORIES) indexes.set(category, indexes.size);
  const groupOf = new Uint32Array(functions.length);
  for (const [index, fn] of functions.entries()) {
    const name = nameGroup(fn, grouping);
    const group = indexes.get(name) ?? indexes.size;
    indexes.set(name, group);
    groupOf[index] = group;
  }
  return { groupOf, names: [...indexes.keys()] };
}

const ROOT = '(root)';

function nameGroup({ name, url, category, package: packageName }: CpuFunction, grouping: Grouping): string {
  if (name === ROOT && url === '') return ROOT;
  if (grouping === 'category') return category;
  if (grouping === 'file') return url === '' ? `(${category})` : url;
  if (packageName !== null) return packageName;
  return url.startsWith('node:') ? 'node' : `(${category})`;
}
