/**
 * The engine's verdict on a program's three snapshots beside what is true of the program: is the verdict right, does
 * the first suspect name the holder, does it name the pattern. `inconclusive` is wrong, whatever the truth.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { compareHeaps, type HeapGraph, type HeapSuspect, judgeHeaps, readSnapshot } from '../../src/heap/index.ts';
import { findHolderLine, type Program, type ProgramLeak } from './manifest.ts';

export interface Judged {
  readonly name: string;
  readonly isLeaking: boolean;
  readonly verdict: string;
  readonly confidence: number;
  readonly isVerdictRight: boolean;
  /** The first suspect's holder is that of a leak of the program, by a name and, where a place is given, its file. */
  readonly isHolderRight: boolean;
  /** And the place is within two lines of the holder's own. */
  readonly isLineRight: boolean;
  readonly isPatternRight: boolean;
  /** Leaks of the program that are among the first three suspects; a program may have two. */
  readonly found: number;
  readonly leaks: number;
  readonly headline: string;
  /** `pattern: holder` of the first three suspects. */
  readonly suspects: readonly string[];
  readonly elapsedMs: number;
}

const SUSPECTS_LOOKED_AT = 3;
const LINES_OFF = 2;

export async function judge(program: Program, files: readonly string[]): Promise<Judged> {
  const startedAt = performance.now();
  const graphs: HeapGraph[] = [];
  for (const file of files) graphs.push(await readSnapshot(file));
  const { verdict, confidence, headline, suspects } = judgeHeaps(compareHeaps(graphs, { readSource }));
  const elapsedMs = performance.now() - startedAt;
  const isLeaking = program.leaks.length > 0;
  const [first] = suspects;
  const isHeld = (leak: ProgramLeak): boolean => first !== undefined && isHolder(leak, first);
  const held = program.leaks.find(isHeld);
  const shown = suspects.slice(0, SUSPECTS_LOOKED_AT);
  return {
    name: program.name,
    isLeaking,
    verdict,
    confidence,
    isVerdictRight: verdict === (isLeaking ? 'leak' : 'no-leak'),
    isHolderRight: isLeaking && verdict === 'leak' && held !== undefined,
    isLineRight: first !== undefined && program.leaks.some((leak) => isHeld(leak) && isAtLine(program, leak, first)),
    isPatternRight: held !== undefined && first !== undefined && held.patterns.includes(first.pattern),
    found: program.leaks.filter((leak) => shown.some((suspect) => isHolder(leak, suspect))).length,
    leaks: program.leaks.length,
    headline,
    suspects: shown.map(({ pattern, holder }) => `${pattern}: ${holder}`),
    elapsedMs,
  };
}

function isHolder({ holder }: ProgramLeak, suspect: HeapSuspect): boolean {
  const { holding } = suspect;
  const words = new Set([suspect.holder, holding.name, holding.owner, holding.what].join(' ').split(/[^\w$-]+/));
  if (!holder.names.some((name) => words.has(name))) return false;
  if (holding.location === undefined) return true;
  return [holder.file, ...(holder.also ?? [])].includes(basename(holding.location.file));
}

function isAtLine(program: Program, leak: ProgramLeak, { holding }: HeapSuspect): boolean {
  if (holding.location === undefined || basename(holding.location.file) !== leak.holder.file) return false;
  return Math.abs(holding.location.line - findHolderLine(program, leak)) <= LINES_OFF;
}

/** Sources lie where the programs ran, as they do for people. */
function readSource(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
