const stop = new AbortController();

async function work(signal, n) {
  signal.throwIfAborted();
  const parts = [];
  for (let i = 0; i < 6; i++) parts.push(await Promise.resolve(`${n}:${i}`));
  return parts;
}

export async function call(n) {
  const own = new AbortController();
  const signal = AbortSignal.any([stop.signal, own.signal]);
  const parts = await work(signal, n);
  own.abort();
  return parts.length;
}
