const held = {};

const lockFor = (resource) => Symbol.for(`lock:${resource}`);

function acquire(resource, owner) {
  const lock = lockFor(resource);
  if (held[lock]?.open) return null;
  held[lock] = { owner, open: true, acquiredAt: Date.now(), waiters: [] };
  return lock;
}

function release(lock) {
  held[lock].open = false;
}

export async function bookSeat(number) {
  const lock = acquire(`concert-${number % 3}/seat-${number}`, `customer-${number}`);
  if (lock === null) return false;
  await Promise.resolve();
  release(lock);
  return true;
}
