/** `drover/cpu`: reads CPU profiles of every usual format, says where time goes, compares, and finds what to change. */
export {
  CATEGORIES,
  type Category,
  type CpuFunction,
  type CpuProfile,
  type LineTicks,
  type Samples,
} from './model/profile.ts';
export { NO_LINE_TICKS, NO_SAMPLES, SampleColumns } from './model/samples.ts';
export { BadFile, openInput, SourceMaps } from '../input/index.ts';
export { type Diagnosis, diagnose, diagnoseLog, type DiagnoseOptions, type Hotspot } from './findings/diagnose.ts';
export {
  type ExpectedGain,
  type Finding,
  FINDING_IDS,
  type FindingId,
  type Place,
  type Remedy,
  SEVERITIES,
  type Severity,
} from './findings/finding.ts';
export { readSourceFiles } from './findings/read-source.ts';
export type { SourceLookup } from './findings/source.ts';
export { type HotPath, listHotPaths } from './passes/hot-paths.ts';
export { GROUPINGS, type Grouping, linkChildren, listTotals, type Total, totalUsByNode } from './passes/totals.ts';
export { readCpuProfile, readCpuProfileChunks, type ReadOptions } from './read/read-cpu-profile.ts';
export { type Deoptimisation, type PropertySite, readV8Log, readV8LogChunks, type V8Log } from './read/v8-log.ts';
export { EXPORT_FORMATS, type ExportFormat, exportProfile } from './write/export-profile.ts';
export {
  describeTop,
  type TopDocument,
  type TopFunction,
  type TopGroup,
  type TopOptions,
} from './report/top-document.ts';
export {
  COMPARE_DEFAULTS,
  type ComparedFunction,
  type CompareOptions,
  compareProfiles,
  type CpuComparison,
} from './compare/compare.ts';
export { measureWindow, placeOf, type ProfileWindow } from './compare/window.ts';
export { describeDiff, type DiffDocument, type DiffFunction } from './compare/diff-document.ts';
export { listProfiles, type ProfileFile, readWindows } from './compare/read-set.ts';
export { describeFlame, type FlameOptions, type FlameWindow, renderFlameHtml } from './report/flame-html.ts';
