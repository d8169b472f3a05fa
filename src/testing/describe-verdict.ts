/** A verdict as the message of a failed test: the holder, its place, the pattern and the remedy, in a screenful. */
import type { HeapSuspect, HeapVerdict } from '../heap/index.ts';

const MOST_SUSPECTS = 3;

/** @param files Snapshots that stay, to look at with `drover heap diff`; may be empty. */
export function describeVerdict(verdict: HeapVerdict, files: readonly string[]): string {
  const shown = verdict.suspects.slice(0, MOST_SUSPECTS);
  const more = verdict.suspects.length - shown.length;
  return [
    verdict.headline,
    ...(verdict.verdict === 'inconclusive' ? verdict.reasons : []),
    ...shown.flatMap((suspect) => ['', ...describeSuspect(suspect, shown.length > 1)]),
    ...(more > 0 ? ['', `and ${more} more`] : []),
    ...(files.length > 0 ? ['', `drover heap diff ${files.map(quoteForShell).join(' ')}`] : []),
  ].join('\n');
}

function describeSuspect(suspect: HeapSuspect, isNumbered: boolean): string[] {
  const { location } = suspect.holding;
  const counts = suspect.counts.length > 0 ? ` (${suspect.counts.join(' → ')})` : '';
  return [
    `${isNumbered ? `${suspect.rank}. ` : ''}${suspect.className}${counts}, held by ${suspect.holder}`,
    ...(location === undefined ? [] : [`   at       ${location.file}:${location.line}:${location.column}`]),
    ...(suspect.allocation === undefined ? [] : [`   made at  ${suspect.allocation}`]),
    `   pattern  ${suspect.pattern}`,
    `   remedy   ${suspect.remedy}`,
    ...(suspect.remedyCode === '' ? [] : suspect.remedyCode.split('\n').map((line) => `     ${line}`)),
  ];
}

const quoteForShell = (path: string): string =>
  /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
