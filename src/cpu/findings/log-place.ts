/**
 * Finds a function of V8's log in the profile beside it: the same file, the same name where the log has one, and begun last
 * before the line.
 */
import type { Place } from './finding.ts';
import type { Sight } from './sight.ts';

export interface LogPlace {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

export interface Found {
  readonly place: Place;
  /**
   * Part of the busy time spent in the function itself, on its lines and on lines that call it by its name: V8 compiles
   * small functions into their callers, whose time is then on lines of the other. Null without a profile.
   */
  readonly share: number | null;
}

/** Part of the busy time on these lines of a file, wherever they were compiled in, and on lines that call the function. */
export function shareOfLines(
  sight: Sight,
  { name, url }: Pick<Place, 'name' | 'url'>,
  lines: ReadonlySet<number>,
): number {
  const call = callOf(name);
  let us = 0;
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.functionAt(node).category !== 'application') continue;
    const isSameFile = sight.functionAt(node).url === url;
    for (const [at, lineUs] of sight.linesOf(node))
      if ((isSameFile && lines.has(at)) || (call !== null && call.test(sight.lineText(node, at) ?? ''))) us += lineUs;
  }
  return sight.share(us);
}

const callOf = (name: string): RegExp | null =>
  /^[\w$]+$/.test(name) ? new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}\\s*\\(`) : null;

export function findInProfile({ functionName, url, line, column }: LogPlace, sight: Sight | null): Found {
  const own: Place = { name: functionName, url, line, hotLine: line };
  if (sight === null) return { place: own, share: null };
  let best = -1;
  for (const [at, one] of sight.profile.functions.entries()) {
    if (one.url !== url || one.line === 0 || one.line > line || (one.line === line && one.column > column)) continue;
    if (functionName !== '(anonymous)' && one.name !== functionName) continue;
    const known = sight.profile.functions[best];
    if (known === undefined || one.line > known.line || (one.line === known.line && one.column > known.column))
      best = at;
  }
  const place = best === -1 ? own : sight.place(best, line);
  return { place, share: sight.share(sumInlined(sight, best, place)) };
}

/** Its own time; that of other functions of the file on its lines, from its beginning to the one in question; and on lines that call it. */
function sumInlined(sight: Sight, index: number, { name, url, line: from, hotLine }: Place): number {
  const call = callOf(name);
  const isOfIt = (node: number, at: number): boolean =>
    (sight.functionAt(node).url === url && at >= from && at <= (hotLine ?? from)) ||
    (call !== null && call.test(sight.lineText(node, at) ?? ''));
  let us = 0;
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.profile.functionOf[node] === index) us += sight.runTime.selfUs[node] as number;
    else if (sight.functionAt(node).category === 'application')
      for (const [at, lineUs] of sight.linesOf(node)) if (isOfIt(node, at)) us += lineUs;
  }
  return us;
}

/** Files that somebody can change: neither Node's own nor a package's. */
export const isOwnFile = (url: string): boolean => !url.startsWith('node:') && !url.includes('/node_modules/');
