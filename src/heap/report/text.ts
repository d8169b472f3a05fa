/**
 * Reports for a terminal or a log: the verdict first, then why, then tables. Colour is the caller's to add; everything from
 * a file is made printable.
 */
import type { HeapSuspect, PathStep } from '../judge/verdict.ts';
import type { AllocationSite } from '../passes/allocation-sites.ts';
import { renderColumns } from './columns.ts';
import type { ClassGrowth } from '../compare/classes.ts';
import type { AnalyzeDocument, ClassRow, DiffDocument } from './documents.ts';
import { toPrintable, toShort, toShortPath } from './printable.ts';
import { changeOf, formatBytes, formatBytesChange, formatCount, formatShare } from '../quantity.ts';

export type TextStyle = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export interface TextOptions {
  /** Rows of a table at most. */
  readonly top: number;
  readonly paint: (style: TextStyle, text: string) => string;
}

export const PLAIN: TextOptions = { top: 10, paint: (_style, text) => text };

const NAME_LENGTH = 60;
const PLACE_LENGTH = 60;
const VERDICTS = {
  leak: { word: 'LEAK', style: 'red' },
  'no-leak': { word: 'NO LEAK', style: 'green' },
  inconclusive: { word: 'INCONCLUSIVE', style: 'yellow' },
} as const;

/** `heap diff`. */
export const renderDiffText = (document: DiffDocument, options: TextOptions = PLAIN): string => {
  const { word, style } = VERDICTS[document.verdict];
  const { totals, files } = document;
  const sizes = totals.bytes
    .map((bytes, at) => `${toShortPath(files[at] ?? '', 40)} ${formatBytes(bytes)}`)
    .join(' → ');
  return [
    `${options.paint(style, word)} (confidence ${formatShare(document.confidence)}): ${toPrintable(document.headline)}`,
    options.paint('dim', sizes),
    ...document.suspects.flatMap((suspect) => ['', ...renderSuspect(suspect, options)]),
    ...renderReasons(document.reasons),
    ...renderChanges(document.classes, options),
    ...renderRedaction(document.isRedacted, options),
  ].join('\n');
};

/** `heap analyze`. */
export const renderAnalyzeText = (document: AnalyzeDocument, options: TextOptions = PLAIN): string => {
  const { nodes, edges, totalBytes, file, kind } = document;
  const what = {
    snapshot: 'heap snapshot',
    timeline: 'heap snapshot with an allocation timeline',
    sampling: 'sampling heap profile',
  }[kind];
  const counts = nodes === null ? '' : `, ${formatCount(nodes)} objects, ${formatCount(edges ?? 0)} references`;
  return [
    `${options.paint('bold', toShort(file, 80))}: ${what}, ${formatBytes(totalBytes)}${counts}`,
    ...(document.headline === '' ? [] : [toPrintable(document.headline)]),
    ...document.suspects.flatMap((suspect) => ['', ...renderSuspect(suspect, options)]),
    ...renderReasons(document.reasons),
    ...renderClasses(document.classes, options),
    ...renderAllocations(document.allocations, totalBytes, options),
    ...renderRedaction(document.isRedacted, options),
  ].join('\n');
};

const renderSuspect = (suspect: HeapSuspect, { paint }: TextOptions): string[] => {
  const { growth } = suspect;
  const counts = suspect.counts.map(formatCount).join(' → ');
  const share = growth === undefined ? '' : `, ${formatShare(growth.share)} of what grew`;
  const facts: (readonly [string, string])[] = [
    ['held by', toPrintable(suspect.holder)],
    ...(suspect.allocation === undefined ? [] : [['made at', toPrintable(suspect.allocation)] as const]),
    ...(growth === undefined
      ? []
      : [['growth', growth.bytes.map((bytes) => formatBytesChange(bytes)).join(', then ')] as const]),
    ['remedy', toPrintable(suspect.remedy)],
  ];
  return [
    `${suspect.rank}. ${paint('bold', toShort(suspect.className, NAME_LENGTH))} × ${counts}, ${formatBytes(suspect.retainedBytes)} kept${share}; pattern: ${suspect.pattern}`,
    ...facts.map(([name, value]) => `   ${name.padEnd(8)} ${value}`),
    ...(suspect.path.length === 0 ? [] : ['   path', ...suspect.path.map((step) => `     ${renderStep(step)}`)]),
    ...suspect.remedyCode
      .split('\n')
      .filter((line, at, all) => line !== '' || all.length > 1)
      .map((line) => paint('dim', `     │ ${toPrintable(line)}`)),
  ];
};

/** `.items → Map  src/cache.ts:31:7`. */
export const renderStep = ({ edge, node, location }: PathStep): string =>
  `${edge === '' ? '' : `${toShort(edge, NAME_LENGTH)} → `}${toShort(node, NAME_LENGTH)}${location === undefined ? '' : `  (${toShortPath(location, PLACE_LENGTH)})`}`;

const renderReasons = (reasons: readonly string[]): string[] =>
  reasons.length === 0 ? [] : ['', 'Why:', ...reasons.map((reason) => `  - ${toPrintable(reason)}`)];

const renderClasses = (classes: readonly ClassRow[], { top }: TextOptions): string[] => {
  if (classes.length === 0) return [];
  const rows = classes
    .slice(0, top)
    .map(({ name, count, shallowBytes, retainedBytes, location }) => [
      formatBytes(retainedBytes),
      formatBytes(shallowBytes),
      formatCount(count),
      toShort(name, NAME_LENGTH),
      location === undefined ? '' : toShortPath(location, PLACE_LENGTH),
    ]);
  return [
    '',
    ...renderColumns(
      [
        { head: 'kept', isNumber: true },
        { head: 'own size', isNumber: true },
        { head: 'objects', isNumber: true },
        { head: 'class' },
        { head: 'constructor' },
      ],
      rows,
    ),
    ...renderRest(classes.length - rows.length, 'classes'),
  ];
};

const renderChanges = (classes: readonly ClassGrowth[], { top }: TextOptions): string[] => {
  if (classes.length === 0) return [];
  const rows = classes
    .slice(0, top)
    .map(({ name, counts, bytes }) => [
      formatBytesChange(changeOf(bytes)),
      counts.map(formatCount).join(' → '),
      toShort(name, NAME_LENGTH),
    ]);
  return [
    '',
    'Classes that grew, whether they leak or not:',
    ...renderColumns(
      [{ head: 'own size', isNumber: true }, { head: 'objects', isNumber: true }, { head: 'class' }],
      rows,
    ),
    ...renderRest(classes.length - rows.length, 'classes'),
  ];
};

const renderAllocations = (sites: readonly AllocationSite[], totalBytes: number, { top }: TextOptions): string[] => {
  if (sites.length === 0) return [];
  const rows = sites
    .slice(0, top)
    .map(({ name, scriptName, line, column, selfBytes, totalBytes: withCallees, count }) => [
      formatBytes(selfBytes),
      formatShare(totalBytes === 0 ? 0 : selfBytes / totalBytes),
      formatBytes(withCallees),
      count === null ? '–' : formatCount(count),
      toShort(name, NAME_LENGTH),
      scriptName === '' ? '' : toShortPath(`${scriptName}:${line}:${column}`, PLACE_LENGTH),
    ]);
  return [
    '',
    'Allocated, and alive when the file was written, by function:',
    ...renderColumns(
      [
        { head: 'itself', isNumber: true },
        { head: 'share', isNumber: true },
        { head: 'with callees', isNumber: true },
        { head: 'objects', isNumber: true },
        { head: 'function' },
        { head: 'place' },
      ],
      rows,
    ),
    ...renderRest(sites.length - rows.length, 'functions'),
  ];
};

const renderRest = (count: number, what: string): string[] =>
  count <= 0 ? [] : [`… and ${formatCount(count)} more ${what} (\`--top\`)`];

const renderRedaction = (isRedacted: boolean, { paint }: TextOptions): string[] =>
  isRedacted
    ? ['', paint('dim', 'Redacted: contents of strings, and keys that are not words of the code, were replaced.')]
    : [];
