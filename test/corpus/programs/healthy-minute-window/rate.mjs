const KEEP = 20;
const windows = new Map();

function windowAt(index) {
  let window = windows.get(index);
  if (window === undefined) {
    window = { index, hits: new Map(), total: 0 };
    windows.set(index, window);
    for (const old of windows.keys()) if (old <= index - KEEP) windows.delete(old);
  }
  return window;
}

export async function hit(number) {
  const window = windowAt(Math.floor(number / 25));
  const client = `10.0.${number % 7}.${number % 250}`;
  const hits = (window.hits.get(client) ?? 0) + 1;
  window.hits.set(client, hits);
  window.total += 1;
  return hits > 10 ? 'limited' : 'served';
}
