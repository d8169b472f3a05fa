let version = 0;
let waiters = [];

/** Resolves when the read model has caught up with that version. */
function caughtUp(wanted) {
  if (version >= wanted) return Promise.resolve(version);
  return new Promise((resolve) => waiters.push({ wanted, resolve }));
}

function project() {
  version += 1;
  const ready = waiters.filter(({ wanted }) => wanted <= version);
  waiters = waiters.filter(({ wanted }) => wanted > version);
  for (const { resolve } of ready) resolve(version);
}

module.exports = { caughtUp, project };
