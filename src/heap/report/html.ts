/**
 * Reports as one HTML file: the verdict first, then who holds what and what to do, a map of the dominators, tables. The
 * page itself is `view`'s; everything from a file goes through `escapeHtml`, or into the page's data.
 */
import { type DocumentPage, escapeHtml, renderDocument, renderTreemap, type TreemapParts } from '../../view/index.ts';
import type { HeapSuspect, PathStep } from '../judge/verdict.ts';
import { NODE } from '../model/node-types.ts';
import type { ClassGrowth } from '../compare/classes.ts';
import type { AnalyzeDocument, DiffDocument } from './documents.ts';
import type { DominatorChart } from './dominator-chart.ts';
import { toPrintable } from './printable.ts';
import { changeOf, formatBytes, formatBytesChange, formatCount, formatShare } from '../quantity.ts';

const ROWS = 300;
const VERDICTS = {
  leak: ['bad', 'Leak'],
  'no-leak': ['good', 'No leak'],
  inconclusive: ['warn', 'Inconclusive'],
} as const;

const STYLE = `
.verdict { border-left: 6px solid var(--line); padding: 8px 16px; margin: 16px 0; background: var(--panel); font-size: 16px; }
.verdict.bad { border-color: var(--bad); color: inherit; } .verdict.good { border-color: var(--good); color: inherit; } .verdict.warn { border-color: var(--warn); color: inherit; }
.verdict strong { font-size: 20px; margin-right: 8px; } .bad strong { color: var(--bad); } .good strong { color: var(--good); } .warn strong { color: var(--warn); }
.suspect { border: 1px solid var(--line); border-radius: 8px; padding: 4px 16px 12px; margin: 12px 0; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; } dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
ol.path { margin: 4px 0; padding-left: 28px; } ol.path li { overflow-wrap: anywhere; }
svg.bar-cell { width: 80px; height: 10px; margin-left: 6px; } svg.bar-cell rect { fill: var(--bar); }
`;

/** `heap diff`. `madeBy`: what stands at the end, such as the version. */
export const renderDiffHtml = (document: DiffDocument, dominators: DominatorChart | null, madeBy: string): string => {
  const { files, totals, suspects, reasons, classes } = document;
  const [style, word] = VERDICTS[document.verdict];
  const snapshots = files.map((file, at) => [
    textCell(file),
    numberCell(totals.objects[at] ?? 0, formatCount),
    numberCell(totals.bytes[at] ?? 0, formatBytes),
  ]);
  return renderPage({
    title: `Heap: ${files.map(toPrintable).join(' → ')}`,
    verdict: `<div class="verdict ${style}"><strong>${word}</strong> confidence ${formatShare(document.confidence)}<p>${prose(document.headline)}</p></div>`,
    suspects: section('Suspects', suspects.map(renderSuspect).join('')),
    sections: [
      section('Why', list(reasons)),
      section('Snapshots', table(['snapshot', '#objects', '#bytes'], snapshots)),
      section('Classes that grew, whether they leak or not', renderChanges(classes)),
    ],
    map: dominators,
    mapTitle: `What keeps what in ${files.at(-1) ?? ''}`,
    isRedacted: document.isRedacted,
    madeBy,
  });
};

/** `heap analyze`. */
export const renderAnalyzeHtml = (
  document: AnalyzeDocument,
  dominators: DominatorChart | null,
  madeBy: string,
): string => {
  const { file, nodes, edges, totalBytes, headline, suspects, reasons } = document;
  const counts =
    nodes === null ? '' : `, ${formatCount(nodes)} objects, ${formatCount(edges ?? 0)} references between them`;
  return renderPage({
    title: `Heap: ${toPrintable(file)}`,
    verdict: `<div class="verdict"><strong>${formatBytes(totalBytes)}</strong>${counts.slice(2)}<p>${prose(headline)}</p></div>`,
    suspects: section('Suspects', suspects.map(renderSuspect).join('')),
    sections: [
      section('Why', list(reasons)),
      section('Classes', renderClasses(document)),
      section('Allocated and alive, by function', renderAllocations(document)),
    ],
    map: dominators,
    mapTitle: `What keeps what in ${file}`,
    isRedacted: document.isRedacted,
    madeBy,
  });
};

interface Page {
  readonly title: string;
  /** HTML. */
  readonly verdict: string;
  readonly suspects: string;
  readonly sections: readonly string[];
  readonly map: DominatorChart | null;
  readonly mapTitle: string;
  readonly isRedacted: boolean;
  readonly madeBy: string;
}

const renderPage = ({ title, verdict, suspects, sections, map, mapTitle, isRedacted, madeBy }: Page): string => {
  const parts = map === null ? null : renderDominators(map, mapTitle);
  const mapSection = parts === null ? '' : section(mapTitle, parts.body);
  const redaction = isRedacted
    ? ' Contents of strings, and keys that are not words of the code, were replaced by their length.'
    : '';
  const page: DocumentPage = {
    title,
    body: [section('Verdict', verdict), suspects, mapSection, ...sections].join('\n'),
    style: STYLE + (parts?.style ?? ''),
    scripts: parts?.scripts ?? [],
    data: parts?.data ?? {},
    keys: parts?.keys ?? [],
    footer: `${madeBy}.${redaction}`,
  };
  return renderDocument(page);
};

const section = (title: string, html: string): string =>
  html === '' ? '' : `<section><h2>${text(title)}</h2>${html}</section>`;

const text = (value: string): string => escapeHtml(toPrintable(value));

/** A sentence with names in backticks. */
const prose = (value: string): string =>
  value
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 === 1 ? `<code>${text(part.slice(1, -1))}</code>` : text(part)))
    .join('');

const list = (lines: readonly string[]): string =>
  lines.length === 0 ? '' : `<ul>${lines.map((line) => `<li>${prose(line)}</li>`).join('')}</ul>`;

const renderSuspect = (suspect: HeapSuspect): string => {
  const { growth } = suspect;
  const facts: (readonly [string, string])[] = [
    ['pattern', escapeHtml(suspect.pattern)],
    ['objects', suspect.counts.map(formatCount).join(' → ')],
    ...(growth === undefined
      ? []
      : [
          [
            'growth',
            `${growth.bytes.map((bytes) => formatBytesChange(bytes)).join(', then ')} (${formatShare(growth.share)} of all)`,
          ] as const,
        ]),
    ['held by', prose(suspect.holder)],
    ...(suspect.allocation === undefined ? [] : [['made at', prose(suspect.allocation)] as const]),
    ['remedy', prose(suspect.remedy)],
  ];
  return `<article class="suspect"><h3>${suspect.rank}. <code>${text(suspect.className)}</code>: ${formatBytes(suspect.retainedBytes)} kept</h3>
<dl class="facts">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl>
${suspect.remedyCode.trim() === '' ? '' : `<pre>${suspect.remedyCode.split('\n').map(text).join('\n')}</pre>`}
${renderPath(suspect.path)}</article>`;
};

const renderPath = (path: readonly PathStep[]): string =>
  path.length === 0
    ? ''
    : `<details open><summary>Path that keeps it alive</summary><ol class="path">${path.map(renderStep).join('')}</ol></details>`;

const renderStep = ({ edge, node, location, id }: PathStep): string =>
  `<li>${edge === '' ? '' : `<code>${text(edge)}</code> → `}<code>${text(node)}</code>${location === undefined ? '' : ` <span class="soft">${text(location)}</span>`} <span class="soft">@${id}</span></li>`;

/** Heads with a number sign are columns of numbers. */
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ''
    : `<div class="scroll" tabindex="0" role="region" aria-label="table"><table data-sortable><thead><tr>${heads.map((head) => (head.startsWith('#') ? `<th class="number" scope="col">${head.slice(1)}</th>` : `<th scope="col">${head}</th>`)).join('')}</tr></thead><tbody>${rows
        .slice(0, ROWS)
        .map((cells) => `<tr>${cells.join('')}</tr>`)
        .join(
          '',
        )}</tbody></table></div>${rows.length > ROWS ? `<p class="soft">${formatCount(rows.length - ROWS)} more are in the JSON.</p>` : ''}`;

const textCell = (value: string): string => `<td><code>${text(value)}</code></td>`;

const numberCell = (value: number, format: (value: number) => string, share?: number): string =>
  `<td class="number" data-value="${value}">${format(value)}${share === undefined ? '' : renderBar(share)}</td>`;

const renderBar = (share: number): string =>
  `<svg class="bar-cell" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.max(0, Math.min(100, share * 100)).toFixed(1)}" height="10"/></svg>`;

const renderChanges = (classes: readonly ClassGrowth[]): string =>
  table(
    ['class', '#objects before', '#objects after', '#own size before', '#own size after', '#change'],
    classes.map(({ name, counts, bytes }) => [
      textCell(name),
      numberCell(counts[0] ?? 0, formatCount),
      numberCell(counts.at(-1) ?? 0, formatCount),
      numberCell(bytes[0] ?? 0, formatBytes),
      numberCell(bytes.at(-1) ?? 0, formatBytes),
      numberCell(changeOf(bytes), formatBytesChange),
    ]),
  );

const renderClasses = ({ classes, totalBytes }: AnalyzeDocument): string =>
  table(
    ['class', '#objects', '#own size', '#kept', 'constructor'],
    classes.map(({ name, count, shallowBytes, retainedBytes, location }) => [
      textCell(name),
      numberCell(count, formatCount),
      numberCell(shallowBytes, formatBytes),
      numberCell(retainedBytes, formatBytes, retainedBytes / totalBytes),
      textCell(location ?? ''),
    ]),
  );

const renderAllocations = ({ allocations, totalBytes }: AnalyzeDocument): string =>
  table(
    ['function', 'place', '#itself', '#with callees', '#objects', 'called by'],
    allocations.map((site) => [
      textCell(site.name),
      textCell(site.scriptName === '' ? '' : `${site.scriptName}:${site.line}:${site.column}`),
      numberCell(site.selfBytes, formatBytes, totalBytes === 0 ? 0 : site.selfBytes / totalBytes),
      numberCell(site.totalBytes, formatBytes),
      site.count === null ? '<td class="number" data-value="-1">–</td>' : numberCell(site.count, formatCount),
      textCell(
        site.callers
          .slice(0, 3)
          .map(({ name }) => name || '(anonymous)')
          .join(' ← '),
      ),
    ]),
  );

const KINDS = ['objects', 'functions', 'strings', 'arrays', 'compiled code', 'native memory', "V8's own", 'roots'];
const KIND_OF_TYPE: Readonly<Record<number, number>> = {
  [NODE.object]: 0,
  [NODE.closure]: 1,
  [NODE.string]: 2,
  [NODE['concatenated string']]: 2,
  [NODE['sliced string']]: 2,
  [NODE.array]: 3,
  [NODE.code]: 4,
  [NODE.native]: 5,
  [NODE.synthetic]: 7,
};
const KIND_OF_OTHERS = 6;

const renderDominators = (chart: DominatorChart, title: string): TreemapParts =>
  renderTreemap(
    {
      title: toPrintable(title),
      parent: chart.parent,
      name: chart.name,
      names: chart.names.map((name) => toPrintable(name).slice(0, 120)),
      bytes: chart.retainedBytes,
      notes: chart.count.map(
        (count, box) => `${formatCount(count)} ${count === 1 ? 'object' : 'objects'}, the largest is @${chart.id[box]}`,
      ),
      kind: chart.type.map((type) => KIND_OF_TYPE[type] ?? KIND_OF_OTHERS),
      kinds: KINDS,
    },
    'dominators',
  );
