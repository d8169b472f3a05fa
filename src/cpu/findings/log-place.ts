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
   * Part of the busy time spent in the function itself and on lines that call it by its name: V8 compiles small functions
   * into their callers, and the profile then knows the caller only. Null without a profile, or where it is not in it.
   */
  readonly share: number | null;
}

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
  if (best === -1) return { place: own, share: null };
  return { place: sight.place(best, line), share: sight.share(sumWithCalls(sight, best)) };
}

function sumWithCalls(sight: Sight, index: number): number {
  const { name } = sight.place(index);
  const call = /^[\w$]+$/.test(name) ? new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}\\s*\\(`) : null;
  let us = 0;
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.profile.functionOf[node] === index) us += sight.runTime.selfUs[node] as number;
    else if (call !== null && sight.functionAt(node).category === 'application')
      for (const [line, lineUs] of sight.linesOf(node)) if (call.test(sight.lineText(node, line) ?? '')) us += lineUs;
  }
  return us;
}

/** Files that somebody can change: neither Node's own nor a package's. */
export const isOwnFile = (url: string): boolean => !url.startsWith('node:') && !url.includes('/node_modules/');
