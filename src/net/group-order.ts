/**
 * The kernel's own order of a reuseport group, which classic programs speak of and no system call tells. It follows
 * from two facts: a socket that begins to listen comes last, and the last one takes the place of one that goes. Pure.
 */

/** The order now, from the order before and the members now (by inode, as they began to listen). */
export function reconcileOrder(before: readonly number[], present: readonly number[]): readonly number[] {
  const order = [...before];
  const living = new Set(present);
  for (let at = 0; at < order.length;) {
    if (living.has(order[at]!)) at += 1;
    else removeAt(order, at);
  }
  const known = new Set(order);
  return [...order, ...present.filter((inode) => !known.has(inode))];
}

function removeAt(order: number[], at: number): void {
  const last = order.pop();
  if (last !== undefined && at < order.length) order[at] = last;
}
