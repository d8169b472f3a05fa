/**
 * What the commands on heap snapshots answer, as plain data: the JSON that they print is exactly this, and every other
 * form of a report is made from it. It holds no graph, and is small however large the snapshot was.
 */
import type { AllocationSite } from '../passes/allocation-sites.ts';
import type { ClassGrowth } from '../compare/classes.ts';
import type { HeapSuspect, HeapVerdict, PathStep, SourceLocation } from '../judge/verdict.ts';
import type { DominatorChart } from './dominator-chart.ts';

export interface ClassRow {
  readonly name: string;
  readonly count: number;
  readonly shallowBytes: number;
  readonly retainedBytes: number;
  /** Where the constructor was written: `src/cache.ts:31:7`; absent where V8 does not say. */
  readonly location?: string;
}

export interface AnalyzeDocument {
  /** `timeline`: a snapshot with the allocations before it; `sampling`: allocations alone (`.heapprofile`). */
  readonly kind: 'snapshot' | 'timeline' | 'sampling';
  /** Base name of the file. */
  readonly file: string;
  /** Null where the file has no objects (`sampling`). */
  readonly nodes: number | null;
  readonly edges: number | null;
  readonly totalBytes: number;
  /** One sentence that can stand alone. */
  readonly headline: string;
  readonly reasons: readonly string[];
  /** Largest retained size first. */
  readonly classes: readonly ClassRow[];
  readonly suspects: readonly HeapSuspect[];
  /** Who allocated what is alive, largest first; empty unless the file tells. */
  readonly allocations: readonly AllocationSite[];
  /** True where strings and keys were replaced. */
  readonly isRedacted: boolean;
}

export interface DiffDocument extends HeapVerdict {
  /** Base names of the files, oldest first. */
  readonly files: readonly string[];
  /** Classes that have more bytes in the last snapshot than in the first, a number per snapshot each; most gained first. */
  readonly classes: readonly ClassGrowth[];
  readonly isRedacted: boolean;
}

/** Objects that are kept alive along the same path: same classes, same edges, array places and ids aside. */
export interface PathCluster {
  readonly objects: number;
  readonly shallowBytes: number;
  readonly retainedBytes: number;
  /** Of one of them, as `heap query --id` takes it. */
  readonly exampleId: number;
  /** From near the root to the example. */
  readonly path: readonly PathStep[];
}

export interface PathsDocument {
  readonly file: string;
  /** What was asked for: `class SessionCache`, `object @1234`. */
  readonly of: string;
  readonly objects: number;
  /** How many of them were followed; all, unless there are very many. */
  readonly followed: number;
  readonly paths: readonly PathCluster[];
  readonly isRedacted: boolean;
}

export interface HeapObject {
  readonly id: number;
  readonly className: string;
  /** V8's kind: `object`, `closure`, `string`, `array`, … */
  readonly type: string;
  readonly shallowBytes: number;
  readonly retainedBytes: number;
  /** Edges from the nearest global of the program; null where only V8 or Node reaches it. */
  readonly distance: number | null;
  readonly location?: string;
  /** The beginning of a string. */
  readonly value?: string;
}

export interface HeapReference {
  /** `.items`, `[12]`, `variable sessions`, `internal table`. */
  readonly edge: string;
  /** False for weak edges and others that keep nothing alive. */
  readonly retains: boolean;
  readonly object: HeapObject;
}

export interface QueryDocument {
  readonly file: string;
  /** How many objects fit; `objects` may have fewer. */
  readonly total: number;
  readonly shallowBytes: number;
  /** Largest retained size first. */
  readonly objects: readonly HeapObject[];
  /** Of the one object that was asked for by id: what it refers to, and what refers to it; the largest first. */
  readonly references?: readonly HeapReference[];
  readonly retainers?: readonly HeapReference[];
  readonly isRedacted: boolean;
}

export interface StringGroup {
  readonly count: number;
  /** Of all of them together. */
  readonly bytes: number;
  /** What one copy would save. */
  readonly wastedBytes: number;
  /** In characters, as far as the snapshot has it: V8 cuts at 1,024. */
  readonly length: number;
  /** The beginning. */
  readonly sample: string;
  /** Of some of them. */
  readonly ids: readonly number[];
}

export interface StringsDocument {
  readonly file: string;
  readonly strings: number;
  readonly bytes: number;
  /** Of all duplicates, listed or not. */
  readonly wastedBytes: number;
  /** Most wasted first. */
  readonly duplicates: readonly StringGroup[];
  readonly isRedacted: boolean;
}

/** What an HTML report shows beside its document. */
export interface ReportCharts {
  readonly dominators: DominatorChart | null;
}

/** `src/cache.ts:31:7`. */
export const formatLocation = ({ file, line, column }: SourceLocation): string => `${file}:${line}:${column}`;
