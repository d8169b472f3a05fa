/**
 * Reports for an issue tracker: GitHub's Markdown. Whatever came from a file stands in code spans or is escaped, so that it
 * cannot make links, mention people, or break a table.
 */
import type { HeapSuspect } from '../judge/verdict.ts';
import type { AnalyzeDocument, DiffDocument } from './documents.ts';
import { toPrintable, toShort } from './printable.ts';
import { changeOf, formatBytes, formatBytesChange, formatCount, formatShare } from '../quantity.ts';
import { renderStep } from './text.ts';

const LONGEST_NAME = 120;
const VERDICTS = { leak: '🔴 **Leak**', 'no-leak': '🟢 **No leak**', inconclusive: '🟡 **Inconclusive**' } as const;

/** `heap diff`. */
export const renderDiffMarkdown = (document: DiffDocument, top: number): string => {
  const { files, totals, suspects, reasons, classes, verdict, confidence, headline } = document;
  return joinParts([
    `${VERDICTS[verdict]} (confidence ${formatShare(confidence)}): ${toProse(headline)}`,
    renderTable(
      ['snapshot', 'objects', 'bytes'],
      files.map((file, at) => [toCode(file), formatCount(totals.objects[at] ?? 0), formatBytes(totals.bytes[at] ?? 0)]),
    ),
    ...suspects.map(renderSuspect),
    renderList('Why', reasons),
    classes.length === 0 ? '' : '### Classes that grew, whether they leak or not',
    renderTable(
      ['class', 'objects', 'own size'],
      classes
        .slice(0, top)
        .map((each) => [
          toCode(each.name),
          each.counts.map(formatCount).join(' → '),
          formatBytesChange(changeOf(each.bytes)),
        ]),
    ),
    renderRedaction(document.isRedacted),
  ]);
};

/** `heap analyze`. */
export const renderAnalyzeMarkdown = (document: AnalyzeDocument, top: number): string => {
  const { file, nodes, totalBytes, headline, suspects, reasons, classes, allocations } = document;
  const counts = nodes === null ? '' : `, ${formatCount(nodes)} objects`;
  return joinParts([
    `**Heap of ${toCode(file)}**: ${formatBytes(totalBytes)}${counts}`,
    toProse(headline),
    ...suspects.map(renderSuspect),
    renderList('Why', reasons),
    renderTable(
      ['class', 'objects', 'own size', 'kept'],
      classes
        .slice(0, top)
        .map((each) => [
          toCode(each.name),
          formatCount(each.count),
          formatBytes(each.shallowBytes),
          formatBytes(each.retainedBytes),
        ]),
    ),
    allocations.length === 0 ? '' : '### Allocated and alive, by function',
    renderTable(
      ['function', 'place', 'itself', 'with callees'],
      allocations
        .slice(0, top)
        .map((site) => [
          toCode(site.name),
          site.scriptName === '' ? '' : toCode(`${site.scriptName}:${site.line}:${site.column}`),
          formatBytes(site.selfBytes),
          formatBytes(site.totalBytes),
        ]),
    ),
    renderRedaction(document.isRedacted),
  ]);
};

const renderSuspect = (suspect: HeapSuspect): string =>
  joinParts([
    `### ${suspect.rank}. ${toCode(suspect.className)}: ${formatBytes(suspect.retainedBytes)} kept`,
    [
      `- pattern: ${suspect.pattern}`,
      `- objects: ${suspect.counts.map(formatCount).join(' → ')}`,
      ...(suspect.growth === undefined
        ? []
        : [
            `- growth: ${suspect.growth.bytes.map((bytes) => formatBytesChange(bytes)).join(', then ')} (${formatShare(suspect.growth.share)} of all)`,
          ]),
      `- held by: ${toProse(suspect.holder)}`,
      ...(suspect.allocation === undefined ? [] : [`- made at: ${toProse(suspect.allocation)}`]),
      `- remedy: ${toProse(suspect.remedy)}`,
    ].join('\n'),
    toBlock(suspect.remedyCode, 'js'),
    suspect.path.length === 0
      ? ''
      : `<details><summary>Path that keeps it alive</summary>\n\n${toBlock(suspect.path.map(renderStep).join('\n'), '')}\n\n</details>`,
  ]);

const joinParts = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n');

const renderList = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `### ${title}\n\n${lines.map((line) => `- ${toProse(line)}`).join('\n')}`;

const renderTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const renderRedaction = (isRedacted: boolean): string =>
  isRedacted ? '_Redacted: contents of strings, and keys that are not words of the code, were replaced._' : '';

/** A code span, also in a table; longer backticks around text that has some. */
const toCode = (text: string): string => {
  const shown = toShort(text, LONGEST_NAME).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  if (longest === 0) return shown.trim() === '' ? '` `' : `\`${shown}\``;
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${shown} ${fence}`;
};

/** A sentence of ours that may hold names from a file, in single backticks or bare. */
const toProse = (text: string): string =>
  toPrintable(text)
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 === 1 ? toCode(part.slice(1, -1)) : escapeProse(part)))
    .join('');

/** An "@" that mentions, a "#1" that links and a "www." are kept apart by a character that has no width. */
const escapeProse = (text: string): string =>
  text
    .replaceAll(/[\\`*_[\]<>|~&]/g, (character) => `\\${character}`)
    .replaceAll(/(@|#(?=\d)|https?(?=:)|www(?=\.))/g, '$1\u200b');

const toBlock = (text: string, language: string): string => {
  if (text.trim() === '') return '';
  const lines = text.split('\n').map(toPrintable);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...lines, fence].join('\n');
};
