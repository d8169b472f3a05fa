/** The door of `view`: the flame canvas, charts and the shell of standalone HTML reports. Knows nothing of heaps or profiles. */
export { type DocumentPage, renderDocument } from './document-page.ts';
export { escapeHtml } from './escape-html.ts';
export {
  type FlameGroup,
  type FlameLabel,
  type FlameModel,
  type FlameTimeline,
  type FlameTree,
  type FlameUnit,
  sumTotals,
} from './flame/model.ts';
export { SWATCH_COUNT } from './flame/palette.ts';
export { type Pruned, type PruneOptions, pruneTimeline, pruneTree } from './flame/prune.ts';
export { renderFlamePage } from './flame-page.ts';
export { asInlineJson, renderReport, REPORT_STYLE, type Report } from './report-shell.ts';
export { renderTreemap, type TreemapModel, type TreemapParts } from './treemap.ts';
