/**
 * Where a variable or a property is written. Snapshots have the places of functions and constructors, not of variables;
 * they do have the beginning of each script's text, and whoever is on the machine where the program runs has the rest.
 * Matching is by the usual ways to write a declaration, line by line: a hint for a reader, not a parser.
 */
import { fileURLToPath } from 'node:url';
import type { ScriptNames } from './script-names.ts';
import { NONE } from './words.ts';

export interface SourceOptions {
  /** Gives the text of a script by path, or nothing. Without it only the snapshot itself is asked. */
  readonly readSource?: (path: string) => string | undefined;
}

/** A script's file as a path: URLs of files are turned into paths, everything else stays. */
export function pathOf(file: string): string {
  if (!file.startsWith('file:')) return file;
  try {
    return fileURLToPath(file);
  } catch {
    // Hosts and odd escapes make no path here.
    return file;
  }
}

/** Where a name is written; both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is known of a script's text, by lines. */
interface Texts {
  /** What ran, as far as it is there. */
  readonly ran: readonly string[];
  /** The file of that name, where it reads otherwise: what ran was made from it on the way, or it has changed since. */
  readonly onDisk: readonly string[];
}

export class Declarations {
  private readonly scripts: ScriptNames;
  private readonly options: SourceOptions;
  private readonly texts = new Map<number, Texts>();

  constructor(scripts: ScriptNames, options: SourceOptions) {
    this.scripts = scripts;
    this.options = options;
  }

  /** The declaration of a variable, the first at or after `fromLine`; undefined when it is not found. */
  variable(script: number, name: string, fromLine = 1): Position | undefined {
    const escaped = escapeText(name);
    return this.find(script, name, fromLine, [
      new RegExp(`(?:^|[\\s;({])(?:const|let|var|function\\*?|class)\\s+${escaped}(?![\\w$])`),
      new RegExp(`(?:^|[\\s;({])(?:const|let|var)\\s[^=;]*[{[,\\s]${escaped}\\s*[,}\\]=]`),
      new RegExp(`(?:function|=>|\\()[^)]*[(,\\s]${escaped}\\s*[,)=:]`),
    ]);
  }

  /** Where a property is given its first value, the nearest to line `near`: a field, in a constructor or in a literal. */
  property(script: number, name: string, near = 1): Position | undefined {
    const escaped = escapeText(name);
    const patterns = [
      new RegExp(`this\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`^\\s*(?:(?:static|readonly|private|protected|public|declare)\\s+)*${escaped}\\s*[?!]?\\s*[:=](?!=)`),
      new RegExp(`[\\w$)\\]]\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`[{,]\\s*${escaped}\\s*:`),
    ];
    for (const pattern of patterns) {
      const found = this.matches(script, name, pattern);
      if (found.length > 0) return found.sort((a, b) => Math.abs(a.line - near) - Math.abs(b.line - near))[0];
    }
    return undefined;
  }

  /** Classes of the values that declarations of that name begin with, in the words of a snapshot; empty where none is found. */
  initialValues(script: number, name: string): string[] {
    if (script === NONE) return [];
    const escaped = escapeText(name);
    const isFunction = new RegExp(`(?:^|[\\s;({])(?:function\\*?|class)\\s+${escaped}(?![\\w$])`);
    const value = new RegExp(`(?:^|[\\s;({])(?:const|let|var)\\s+${escaped}\\s*(?::[^=]+)?=\\s*(.*)`);
    const { ran, onDisk } = this.textsOf(script);
    const found = new Set<string>();
    for (const line of [...ran, ...onDisk]) {
      if (line.length > LONGEST_LINE || !line.includes(name)) continue;
      if (isFunction.test(line)) found.add('Function');
      const className = classOf(value.exec(line)?.[1] ?? '');
      if (className !== '') found.add(className);
    }
    return [...found];
  }

  private find(script: number, name: string, fromLine: number, patterns: readonly RegExp[]): Position | undefined {
    for (const pattern of patterns) {
      const found = this.matches(script, name, pattern).find(({ line }) => line >= fromLine);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Where the name stands in lines that match, in order. A reader opens the file, so its line is the answer where there is only one, even if what
   * ran was made from it and has other lines.
   */
  private matches(script: number, name: string, pattern: RegExp): Position[] {
    if (script === NONE) return [];
    const { ran, onDisk } = this.textsOf(script);
    const there = findName(onDisk, name, pattern);
    return there.length === 1 ? there : findName(ran, name, pattern);
  }

  private textsOf(script: number): Texts {
    let texts = this.texts.get(script);
    if (texts === undefined) this.texts.set(script, (texts = this.readTexts(script)));
    return texts;
  }

  private readTexts(script: number): Texts {
    const { text, isWhole } = this.scripts.sourceOf(script);
    const ran = text.split('\n');
    const onDisk = isWhole ? undefined : this.options.readSource?.(pathOf(this.scripts.fileOf(script)));
    if (onDisk === undefined) return { ran, onDisk: [] };
    const lines = onDisk.split('\n');
    // Types that Node strips are blanked in place: that is the same text.
    return startsAlike(onDisk, text) ? { ran: lines, onDisk: [] } : { ran, onDisk: lines };
  }
}

/** Minified lines cost much and say nothing. */
const LONGEST_LINE = 2000;

function findName(lines: readonly string[], name: string, pattern: RegExp): Position[] {
  const found: Position[] = [];
  for (const [at, line] of lines.entries()) {
    if (line.length > LONGEST_LINE) continue;
    const match = pattern.exec(line);
    if (match !== null) found.push({ line: at + 1, column: match.index + match[0].lastIndexOf(name) + 1 });
  }
  return found;
}

/** The class of the value that an expression begins with; empty where the beginning does not tell. */
function classOf(expression: string): string {
  const [, constructed] = /^new\s+([\w$.]+)/.exec(expression) ?? [];
  if (constructed !== undefined) return constructed.replace(/^.*\./, '');
  if (/^(?:async\s+)?(?:function\b|class\b|\([^)]*\)\s*=>|[\w$]+\s*=>)/.test(expression)) return 'Function';
  if (/^-?[\d.]/.test(expression)) return 'Number';
  if (expression.startsWith('[')) return 'Array';
  return expression.startsWith('{') ? 'Object' : '';
}

// `RegExp.escape` is not in Node 20 and 22.
const escapeText = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);

function startsAlike(onDisk: string, inHeap: string): boolean {
  for (let at = 0; at < inHeap.length; at++) {
    const there = inHeap.charCodeAt(at);
    if (there !== onDisk.charCodeAt(at) && there !== 0x20 && there !== 0x3b) return false;
  }
  return true;
}
