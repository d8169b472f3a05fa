const seen = new Set();
const recent = [];

/** Every tenth customer has a slow line and may deliver twice. */
export const isSlow = (id) => id % 10 === 0;

export function firstTime(id) {
  const key = `delivery-${id}`;
  recent.push({ key, at: Date.now() });
  if (recent.length > 20) recent.shift();
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}
