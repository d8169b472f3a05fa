/**
 * `drover/heap`: reads heap snapshots of any size, compares them, and says what leaks, where, and what to do.
 *
 *     const graph = await readSnapshot('Heap.heapsnapshot');
 *     const analysis = await analyzeHeap(graph);
 *     for (const { name, count, retainedBytes } of analysis.classes) console.log(name, count, retainedBytes);
 */
export {
  EDGE,
  EDGE_TYPE_NAMES,
  type EdgeTypeName,
  NODE,
  NODE_TYPE_NAMES,
  type NodeTypeName,
} from './model/node-types.ts';
export type {
  AllocationFunction,
  HeapAllocations,
  HeapGraph,
  HeapLocations,
  HeapSamples,
  HeapStrings,
} from './model/graph.ts';
export { type EdgeRules, type HeapAnalysis, type HeapClass, NO_DISTANCE, SYSTEM_DISTANCE } from './model/analysis.ts';
export { parseSnapshot, type ReadOptions, readSnapshot } from './read/read-snapshot.ts';
export { type AnalyzeOptions, analyzeHeap, analyzeSnapshot, type AnalyzeSnapshotOptions } from './analyze.ts';
export { findRetainers, type Retainers } from './passes/retainers.ts';
export { type Dominated, findDominated } from './passes/dominated.ts';
export { findPaths, type PathOptions, type PathStep, type RetainingPath } from './passes/paths.ts';
export { findAllocationStack } from './passes/allocation-stack.ts';
export { findScripts } from './passes/scripts.ts';
export { BadFile } from '../input/index.ts';
export type { AllocatingFunction, AllocationTree } from './model/allocation-tree.ts';
export { type AllocationSite, listAllocationSites } from './passes/allocation-sites.ts';
export { readSamplingProfile, type SamplingProfile } from './read/sampling-profile.ts';
export { redactGraph } from './redact/redact-graph.ts';
export { type HeapEngineOptions, runHeapEngine } from './engine.ts';
export { NotInSnapshot } from './jobs/not-in-snapshot.ts';
export { type HeapAnswers, type HeapAnswerTo, type HeapJob, type JobTools, runHeapJob } from './jobs/run-job.ts';
export type {
  AnalyzeDocument,
  ClassRow,
  DiffDocument,
  HeapObject,
  HeapReference,
  PathCluster,
  PathsDocument,
  QueryDocument,
  ReportCharts,
  StringGroup,
  StringsDocument,
} from './report/documents.ts';
export { type DominatorChart, foldDominators } from './report/dominator-chart.ts';
export { renderPathsText, renderQueryText, renderStringsText } from './report/answers-text.ts';
export { type HeapReportFormat, type HeapReportOptions, renderAnalyze, renderDiff } from './report/render.ts';
export { defaultMemoryLimitBytes, EngineFailure, type EngineProgress } from '../input/index.ts';
export { compareHeaps, type HeapComparison } from './compare/compare-heaps.ts';
export type { ClassGrowth } from './compare/classes.ts';
export { findSuspects } from './judge/find-suspects.ts';
export { judgeHeaps, type JudgeOptions } from './judge/judge-heaps.ts';
export {
  type Growth,
  type HeapAnswer,
  type HeapSuspect,
  type HeapVerdict,
  type Holder,
  LEAK_PATTERNS,
  type LeakPattern,
  type PathStep as SuspectStep,
  type SourceLocation,
} from './judge/verdict.ts';
