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

export class Declarations {
  private readonly scripts: ScriptNames;
  private readonly options: SourceOptions;
  private readonly texts = new Map<number, readonly string[]>();

  constructor(scripts: ScriptNames, options: SourceOptions) {
    this.scripts = scripts;
    this.options = options;
  }

  /** Line (from 1) of the declaration of a variable, the first at or after `fromLine`; undefined when it is not found. */
  variable(script: number, name: string, fromLine = 1): number | undefined {
    const escaped = escapeText(name);
    return this.find(script, fromLine, [
      new RegExp(`(?:^|[\\s;({])(?:const|let|var|function\\*?|class)\\s+${escaped}(?![\\w$])`),
      new RegExp(`(?:^|[\\s;({])(?:const|let|var)\\s[^=;]*[{[,\\s]${escaped}\\s*[,}\\]=]`),
      new RegExp(`(?:function|=>|\\()[^)]*[(,\\s]${escaped}\\s*[,)=:]`),
    ]);
  }

  /** Line (from 1) where a property is given its first value, the nearest to `near`: a field, in a constructor or in a literal. */
  property(script: number, name: string, near = 1): number | undefined {
    const escaped = escapeText(name);
    const patterns = [
      new RegExp(`this\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`^\\s*(?:(?:static|readonly|private|protected|public|declare)\\s+)*${escaped}\\s*[?!]?\\s*[:=](?!=)`),
      new RegExp(`[\\w$)\\]]\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`[{,]\\s*${escaped}\\s*:`),
    ];
    for (const pattern of patterns) {
      const found = this.matches(script, pattern);
      if (found.length > 0) return found.sort((a, b) => Math.abs(a - near) - Math.abs(b - near))[0];
    }
    return undefined;
  }

  private find(script: number, fromLine: number, patterns: readonly RegExp[]): number | undefined {
    for (const pattern of patterns) {
      const found = this.matches(script, pattern).find((line) => line >= fromLine);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Lines that match, in order. */
  private matches(script: number, pattern: RegExp): number[] {
    if (script === NONE) return [];
    const found: number[] = [];
    for (const [at, line] of this.lines(script).entries()) {
      // Minified lines cost much and say nothing.
      if (line.length <= 2000 && pattern.test(line)) found.push(at + 1);
    }
    return found;
  }

  private lines(script: number): readonly string[] {
    let lines = this.texts.get(script);
    if (lines === undefined) {
      lines = this.text(script).split('\n');
      this.texts.set(script, lines);
    }
    return lines;
  }

  private text(script: number): string {
    const { text, isWhole } = this.scripts.sourceOf(script);
    if (isWhole || this.options.readSource === undefined) return text;
    const onDisk = this.options.readSource(pathOf(this.scripts.fileOf(script)));
    // The file may have changed since; then its lines are somebody else's. Types that Node strips are blanked in place.
    return onDisk !== undefined && startsAlike(onDisk, text) ? onDisk : text;
  }
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
