/**
 * A frame as text formats write it, taken apart. Known are `name (file:line:column)`, and what V8 puts into the map for
 * perf: a kind, a mark for the tier of its compiler, the name and the place: `JS:*fn file:///app/a.js:3:14`,
 * `LazyCompile:~fn /app/a.js:3`. Everything else is a name without a place.
 */
import type { FunctionPlace } from '../model/function-table.ts';

/** Kinds of V8's code events (`src/logging/log.cc` in V8) whose code is a function of the program. */
const V8_FUNCTION = /^(?:LazyCompile|Function|JS|Eval|Script|Callback):/;
/**
 * `~` interpreted, `^` baseline, `+` and `*` optimised (`CodeKindToMarker` in V8); a letter `o` before it marks code that
 * was entered in the middle of a loop, an apostrophe after it code for one context.
 */
const TIER = /^o?[~^+*]'?/;
const PLACE_AT_END =
  /^(.*?) ?((?:file:|node:|https?:|webpack:|data:|evalmachine\.|\/|\.{1,2}[\\/]|[A-Za-z]:[\\/]).*?)(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?$/;
const PLACE_IN_BRACKETS = /^(.*) \(([^()].*?)(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?\)$/;

export function parseFrame(text: string): FunctionPlace {
  if (V8_FUNCTION.test(text)) return parseV8Function(text.replace(V8_FUNCTION, '').replace(TIER, ''));
  if (text.startsWith('RegExp:')) return fileless(`RegExp: ${text.slice(7).trim()}`);
  const match = PLACE_IN_BRACKETS.exec(text) ?? (TIER.test(text) ? PLACE_AT_END.exec(text.replace(TIER, '')) : null);
  if (match === null) return fileless(text);
  const [, name = '', url = '', line = '0', column = '0'] = match;
  return { name, url, line: Number(line), column: Number(column) };
}

function parseV8Function(text: string): FunctionPlace {
  const [, name = text, url = '', line = '0', column = '0'] = PLACE_AT_END.exec(text) ?? [];
  return { name, url, line: Number(line), column: Number(column) };
}

const fileless = (name: string): FunctionPlace => ({ name, url: '', line: 0, column: 0 });
