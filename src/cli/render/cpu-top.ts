/** `drover cpu top` for people: how the time divides, what took it, and along which stacks. */
import type { TopDocument } from '../../cpu/index.ts';
import type { CliContext } from '../context.ts';
import { toPlain, toPlainName, toPlainPlace } from './plain.ts';
import { renderTable } from './table.ts';
import { formatBytes, formatMs } from './values.ts';

/** The last parts of a path say which file it is; the whole is in the JSON. */
const MAX_PLACE_LENGTH = 60;

export function renderTop(document: TopDocument, context: CliContext): string {
  const { samples, durationMs, unit, categories, functions, groups, hotPaths, notes } = document;
  const { paint } = context;
  const format = (value: number): string =>
    unit === 'milliseconds' ? formatMs(value) : unit === 'bytes' ? formatBytes(value) : String(value);
  const idleMs = categories.find(({ category }) => category === 'idle')?.selfMs ?? 0;
  const gcMs = categories.find(({ category }) => category === 'gc')?.selfMs ?? 0;
  const busyMs = durationMs - idleMs;
  const share = (value: number): string => (busyMs > 0 ? `${((value / busyMs) * 100).toFixed(1)} %` : '–');
  const lines = [
    [
      `${samples === null ? '' : `${samples} samples, `}${format(durationMs)}`,
      ...(idleMs > 0 ? [`idle ${format(idleMs)}`] : []),
      `busy ${format(busyMs)}`,
      `of which garbage collection ${format(gcMs)} (${share(gcMs)})`,
    ].join('; '),
    '',
    renderTable(
      ['self', '', 'category'],
      categories
        .filter(({ category }) => category !== 'idle')
        .map(({ category, selfMs }) => [format(selfMs), share(selfMs), category]),
    ),
    '',
  ];
  if (groups === null) {
    const rows = functions.filter(({ category }) => category !== 'idle');
    lines.push(
      renderTable(
        ['self', '', 'total', '', 'function', 'place'],
        rows.map((row) => [
          format(row.selfMs),
          share(row.selfMs),
          format(row.totalMs),
          share(row.totalMs),
          toPlainName(row.name),
          toPlainPlace(row.url, row.line, MAX_PLACE_LENGTH) || `(${row.category})`,
        ]),
      ),
    );
  } else {
    lines.push(
      renderTable(
        ['self', '', 'total', '', 'name'],
        groups
          .filter(({ name }) => name !== 'idle' && name !== '(idle)')
          .map(({ name, selfMs, totalMs }) => [
            format(selfMs),
            share(selfMs),
            format(totalMs),
            share(totalMs),
            toPlainName(name),
          ]),
      ),
    );
  }
  for (const [index, { selfMs, frames }] of hotPaths.entries()) {
    lines.push('', paint('bold', `hot path ${index + 1}: ${format(selfMs)} (${share(selfMs)})`));
    for (const [depth, frame] of frames.entries())
      lines.push(
        `${'  '.repeat(Math.min(depth, 20) + 1)}${toPlainName(frame.name)} ${paint('dim', toPlainPlace(frame.url, frame.line, MAX_PLACE_LENGTH))}`.trimEnd(),
      );
  }
  for (const note of notes) lines.push('', paint('dim', `note: ${toPlain(note)}`));
  return lines.join('\n');
}
