/** Weak, so that nothing is kept longer than the object it belongs to. */
const metadata = new WeakMap();

export function metadataOf(owner) {
  let found = metadata.get(owner);
  if (found === undefined) {
    found = { createdAt: Date.now(), published: [], errors: 0 };
    metadata.set(owner, found);
  }
  return found;
}
