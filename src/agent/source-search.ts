/**
 * Looks in a source for what a profile does not tell: the line of a call, and the built-in of V8 that a line spends its
 * time in (a regular expression, `JSON.parse`), which the profiler counts as the function's own. An answer is given only where
 * there is exactly one; a wrong line would be worse than none.
 */

export interface SourcePosition {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Of a function's text so much is searched. */
const MAX_LINES = 400;

/** The place of the only call of `callee` in the function that begins at `start`; `RegExp: …` is V8's name of a pattern. */
export function findCall(source: string, start: SourcePosition, callee: string): SourcePosition | null {
  const pattern = /^RegExp: (.*)$/s.exec(callee)?.[1];
  const text = functionAt(source, start);
  const candidates =
    pattern === undefined
      ? [new RegExp(`\\b${escape(callee)}\\s*\\(`, 'g')]
      : [
          new RegExp(escape(`/${pattern}/`), 'g'),
          /\.\s*(?:test|exec|match|matchAll|replace|replaceAll|search|split)\s*\(/g,
        ];
  for (const candidate of candidates) {
    const found = [...text.matchAll(candidate)];
    const [only] = found;
    if (only !== undefined && found.length === 1) return positionOf(text, only.index, start);
  }
  return null;
}

/** The built-in that this line calls, if it is the only one known there. */
export function findBuiltin(source: string, line: number): (SourcePosition & { readonly name: string }) | null {
  const text = source.split('\n')[line - 1];
  if (text === undefined || text.length > 2000) return null;
  const json = [...text.matchAll(/\bJSON\.(?:parse|stringify)(?=\s*\()/g)].map(({ 0: name, index }) => ({
    name,
    index,
  }));
  const literals = [
    ...text.matchAll(
      /(?<=(?:^|[(,=:[!&|?{};]|\breturn)\s*)\/((?:[^/\\\n[*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])*)\/[dgimsuvy]*/g,
    ),
  ].map(({ 1: pattern = '', index }) => ({ name: `RegExp: ${pattern}`, index }));
  const others = [...text.matchAll(/(?<=\.)(?:sort|toSorted)(?=\s*\()/g)].map(({ 0: name, index }) => ({
    name,
    index,
  }));
  const all = [...json, ...literals, ...others];
  const [only] = all;
  return only === undefined || all.length > 1 ? null : { name: only.name, line, column: only.index + 1 };
}

/** From the function's beginning to its last brace, as far as that can be told without parsing. */
function functionAt(source: string, { line, column }: SourcePosition): string {
  const lines = source.split('\n').slice(line - 1, line - 1 + MAX_LINES);
  const text = [(lines[0] ?? '').slice(column - 1), ...lines.slice(1)].join('\n');
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}' && --depth <= 0) return text.slice(0, at);
    // An arrow function without a body of its own ends with its line.
    else if (text[at] === '\n' && depth === 0 && /=>\s*[^\s{]/.test(text.slice(0, at))) return text.slice(0, at);
  }
  return text;
}

function positionOf(text: string, index: number, start: SourcePosition): SourcePosition {
  const before = text.slice(0, index).split('\n');
  const last = before.at(-1) ?? '';
  return {
    line: start.line + before.length - 1,
    column: last.length + (before.length === 1 ? start.column : 1),
  };
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
