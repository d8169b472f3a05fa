/** A report in the form that was asked for. */
import type { AnalyzeDocument, DiffDocument, ReportCharts } from './documents.ts';
import { renderAnalyzeHtml, renderDiffHtml } from './html.ts';
import { renderAnalyzeMarkdown, renderDiffMarkdown } from './markdown.ts';
import { renderAnalyzeText, renderDiffText, type TextOptions } from './text.ts';

export type HeapReportFormat = 'text' | 'json' | 'markdown' | 'html';

export interface HeapReportOptions extends TextOptions {
  /** Stands at the end of an HTML report: `Made by drover 0.1.0`. */
  readonly madeBy: string;
}

export const renderAnalyze = (
  document: AnalyzeDocument,
  charts: ReportCharts,
  format: HeapReportFormat,
  options: HeapReportOptions,
): string => {
  if (format === 'json') return JSON.stringify(document);
  if (format === 'markdown') return renderAnalyzeMarkdown(document, options.top);
  if (format === 'html') return renderAnalyzeHtml(document, charts.dominators, options.madeBy);
  return renderAnalyzeText(document, options);
};

export const renderDiff = (
  document: DiffDocument,
  charts: ReportCharts,
  format: HeapReportFormat,
  options: HeapReportOptions,
): string => {
  if (format === 'json') return JSON.stringify(document);
  if (format === 'markdown') return renderDiffMarkdown(document, options.top);
  if (format === 'html') return renderDiffHtml(document, charts.dominators, options.madeBy);
  return renderDiffText(document, options);
};
