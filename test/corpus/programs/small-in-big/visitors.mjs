const seen = new Set();
let returning = 0;

export function countVisit(cookie) {
  const visitor = /visitor=(\w+)/.exec(cookie)?.[1];
  if (visitor === undefined) return;
  if (seen.has(visitor)) returning += 1;
  else seen.add(visitor);
}

export const visitStatistics = () => ({ unique: seen.size, returning });
