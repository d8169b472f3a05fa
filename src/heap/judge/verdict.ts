/**
 * What the judge says: the shape of `heap diff --json`, so that printing a verdict is `JSON.stringify`. Texts are whole
 * English phrases; whoever wants to lay them out otherwise finds the parts beside them. It holds no graph.
 */

/** How memory is kept by mistake, one word a pattern. `unknown` means that the growth is sure and its kind is not. */
export const LEAK_PATTERNS = [
  'listeners',
  'closures',
  'shared-context',
  'timers',
  'collection',
  'array',
  'promises',
  'async-context',
  'buffers',
  'streams',
  'detached',
  'unknown',
] as const;

export type LeakPattern = (typeof LEAK_PATTERNS)[number];

/** A place in a source file. Lines and columns count from 1, as editors do. */
export interface SourceLocation {
  /** The script's path or URL where the snapshot names it; else `script <id>`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface PathStep {
  /** How the step before leads here: `.items`, `[12]`, `variable sessions`, `internal table`. Empty for the first step. */
  readonly edge: string;
  /** What is there: `Map`, `Cart`, `function onData`, `module src/cache.ts`. */
  readonly node: string;
  /** `file:line:column`, of a function, or of the constructor of an object; absent when the snapshot does not say. */
  readonly location?: string;
  /** V8's id of the object, for `heap query --id` and `heap paths`. */
  readonly id: number;
}

/** Who owns the growth in the source: the variable or property through which the application reaches it. */
export interface Holder {
  readonly kind: 'module-variable' | 'captured-variable' | 'global' | 'property' | 'event' | 'runtime' | 'unknown';
  /** What is held there: `Map`, `Array`, `EventEmitter`, … */
  readonly what: string;
  /** The variable, property or event; empty when it has no name. */
  readonly name: string;
  /** The class that has the property, or the function that captures the variable; empty for module variables. */
  readonly owner: string;
  readonly location?: SourceLocation;
}

/** What grew, per step between snapshots: one number for two snapshots, two for three. */
export interface Growth {
  /** Objects more than before that this holder keeps. */
  readonly objects: readonly number[];
  /** Bytes more than before that this holder keeps. */
  readonly bytes: readonly number[];
  /** Share of all growth in the last step that is this holder's: 0 to 1. */
  readonly share: number;
}

export interface HeapSuspect {
  /** From 1; 1 is the likeliest or largest. */
  readonly rank: number;
  /** `growth`: seen to grow between snapshots. `size`: merely large in the only snapshot there is. */
  readonly basis: 'growth' | 'size';
  readonly pattern: LeakPattern;
  /** Class of what piles up. */
  readonly className: string;
  /** How many of it the holder keeps, a number per snapshot. */
  readonly counts: readonly number[];
  /** What would be free if the holder let go, in the last snapshot. */
  readonly retainedBytes: number;
  /** Absent when there was one snapshot. */
  readonly growth?: Growth;
  /** From a root to one typical object that piled up. */
  readonly path: readonly PathStep[];
  /** One phrase: "the Map `sessions` at src/cache.ts:31 (module variable)". */
  readonly holder: string;
  readonly holding: Holder;
  /** Where what piles up is made, as far as the snapshot says: its constructor, the closure's source, or an allocation stack. */
  readonly allocation?: string;
  /** What to do, in words. */
  readonly remedy: string;
  /** A short sketch in the names of the program. */
  readonly remedyCode: string;
}

export type HeapAnswer = 'leak' | 'no-leak' | 'inconclusive';

export interface HeapVerdict {
  readonly verdict: HeapAnswer;
  /** 0 to 1: how sure of the verdict. */
  readonly confidence: number;
  /** One sentence that can stand alone: what grows, how fast, who holds it, what to do. */
  readonly headline: string;
  /** Why this verdict, why this confidence, what was seen and set aside; a sentence each. */
  readonly reasons: readonly string[];
  /** Per snapshot. */
  readonly totals: { readonly objects: readonly number[]; readonly bytes: readonly number[] };
  readonly suspects: readonly HeapSuspect[];
}
