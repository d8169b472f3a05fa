/** Brings nodes that a file has in any order into the order of the model: the root first, parents before children. */
import { BadFile } from '../../input/index.ts';

export interface OrderedTree {
  /** Per node in the new order: its parent, −1 for the root. */
  readonly parent: Int32Array;
  /** Per node in the new order: where it was; null where the order is kept. */
  readonly order: Uint32Array | null;
}

/** `parent` per node in the order of the file, −1 for the one root. Refuses two roots, none, and cycles. */
export function orderTree(parent: Int32Array, file: string, nameOf: (node: number) => string): OrderedTree {
  const root = parent.indexOf(-1);
  if (root === -1) throw new BadFile({ file, where: nameOf(0), what: 'no node is the root: each has a parent' });
  const another = parent.indexOf(-1, root + 1);
  if (another !== -1) {
    throw new BadFile({
      file,
      where: nameOf(another),
      what: `belongs to no parent, and ${nameOf(root)} does not either`,
    });
  }
  if (isOrdered(parent, root)) return { parent, order: null };
  const { firstChild, nextSibling } = linkAnyOrder(parent);
  const order = new Uint32Array(parent.length);
  const newParent = new Int32Array(parent.length);
  const placeOf = new Int32Array(parent.length).fill(-1);
  let count = 0;
  // Down to the first child, else on to the next sibling of whoever has one: the order in which files are written.
  for (let node = root; node !== -1;) {
    placeOf[node] = count;
    order[count] = node;
    newParent[count] = node === root ? -1 : (placeOf[parent[node] as number] as number);
    count += 1;
    let next = firstChild[node] as number;
    for (let above = node; next === -1 && above !== -1; above = parent[above] as number)
      next = nextSibling[above] as number;
    node = next;
  }
  if (count < parent.length) {
    const lost = placeOf.indexOf(-1);
    throw new BadFile({ file, where: nameOf(lost), what: 'is its own ancestor: the tree of calls has a cycle' });
  }
  return { parent: newParent, order };
}

function isOrdered(parent: Int32Array, root: number): boolean {
  if (root !== 0) return false;
  for (let node = 1; node < parent.length; node += 1) if ((parent[node] as number) >= node) return false;
  return true;
}

function linkAnyOrder(parent: Int32Array): { readonly firstChild: Int32Array; readonly nextSibling: Int32Array } {
  const firstChild = new Int32Array(parent.length).fill(-1);
  const nextSibling = new Int32Array(parent.length).fill(-1);
  for (let node = parent.length - 1; node >= 0; node -= 1) {
    const above = parent[node] as number;
    if (above === -1) continue;
    nextSibling[node] = firstChild[above] as number;
    firstChild[above] = node;
  }
  return { firstChild, nextSibling };
}
