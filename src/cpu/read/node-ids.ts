/** From the ids that a file gives its nodes to their places in it. */
import type { NumberColumn } from '../../input/index.ts';

/**
 * A table where ids are close together, as V8 counts them, and a map where a few are far apart. `refuse` hears of a node
 * whose id another one has already.
 */
export function indexIds(
  { values, count }: NumberColumn,
  refuse: (node: number, what: string) => never,
): (id: number) => number | undefined {
  let highest = 0;
  for (let node = 0; node < count; node += 1) highest = Math.max(highest, values[node] as number);
  if (highest > count * 8 + 65_536) {
    const sparse = new Map<number, number>();
    for (let node = 0; node < count; node += 1) {
      const id = values[node] as number;
      if (sparse.has(id)) refuse(node, `a second node has the id ${id}`);
      sparse.set(id, node);
    }
    return (id) => sparse.get(id);
  }
  const dense = new Int32Array(highest + 1).fill(-1);
  for (let node = 0; node < count; node += 1) {
    const id = values[node] as number;
    if (dense[id] !== -1) refuse(node, `a second node has the id ${id}`);
    dense[id] = node;
  }
  return (id) => {
    const node = dense[id];
    return node === -1 ? undefined : node;
  };
}
