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
/** Where a place begins in a text that has it behind the name. */
const PLACE_START = /(?:^| )(?=file:|node:|https?:|webpack:|data:|evalmachine\.|\/|\.{1,2}[\\/]|[A-Za-z]:[\\/])/;
const LINE_AND_COLUMN = /(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?$/;
/** `:` and nine digits, twice: no pattern looks at more than this, however long a line in a hostile file is. */
const LONGEST_LINE_AND_COLUMN = 20;

export function parseFrame(text: string): FunctionPlace {
  if (V8_FUNCTION.test(text)) return parsePlaceBehind(text.replace(V8_FUNCTION, '').replace(TIER, ''));
  if (text.startsWith('RegExp:')) return fileless(`RegExp: ${text.slice(7).trim()}`);
  const open = text.endsWith(')') ? text.lastIndexOf(' (') : -1;
  if (open > 0) {
    const place = text.slice(open + 2, -1);
    // `operator new(unsigned long) (int)` and the like are names.
    if (place !== '' && !place.includes('(') && !place.includes(')')) return toPlace(text.slice(0, open), place);
  }
  // Without a place it is a name that begins with such a sign.
  const marked = TIER.test(text) ? text.replace(TIER, '') : '';
  return PLACE_START.test(marked) ? parsePlaceBehind(marked) : fileless(text);
}

function parsePlaceBehind(text: string): FunctionPlace {
  const start = PLACE_START.exec(text);
  if (start === null) return fileless(text);
  return toPlace(text.slice(0, start.index), text.slice(start.index + start[0].length));
}

function toPlace(name: string, place: string): FunctionPlace {
  const end = place.slice(-LONGEST_LINE_AND_COLUMN);
  const [found = '', line = '0', column = '0'] = LINE_AND_COLUMN.exec(end) ?? [];
  const url = found === '' ? place : place.slice(0, -found.length);
  // Nothing but a line is no place.
  if (url === '') return fileless(`${name} (${place})`);
  return { name, url, line: Number(line), column: Number(column) };
}

const fileless = (name: string): FunctionPlace => ({ name, url: '', line: 0, column: 0 });
