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

  /** Line (from 1) where a property is first given a value: in a class, a constructor or an object literal. */
  property(script: number, name: string, fromLine = 1): number | undefined {
    const escaped = escapeText(name);
    return this.find(script, fromLine, [
      new RegExp(`this\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`^\\s*(?:(?:static|readonly|private|protected|public|declare)\\s+)*${escaped}\\s*[?!]?\\s*[:=](?!=)`),
      new RegExp(`[\\w$)\\]]\\.${escaped}\\s*(?:\\?\\?|\\|\\|)?=(?!=)`),
      new RegExp(`[{,]\\s*${escaped}\\s*:`),
    ]);
  }

  private find(script: number, fromLine: number, patterns: readonly RegExp[]): number | undefined {
    if (script === NONE) return undefined;
    const lines = this.lines(script);
    for (const pattern of patterns) {
      for (let at = fromLine - 1; at < lines.length; at++) {
        const line = lines[at] as string;
        // Minified lines cost much and say nothing.
        if (line.length <= 2000 && pattern.test(line)) return at + 1;
      }
    }
    return undefined;
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
