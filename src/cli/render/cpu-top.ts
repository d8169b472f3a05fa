/** `drover cpu top` for people: how the time divides, what took it, and along which stacks. */
import type { TopDocument, TopFunction } from '../../cpu/index.ts';
import type { CliContext } from '../context.ts';
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
          toPlain(row.name),
          renderPlace(row) || `(${row.category})`,
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
            toPlain(name),
          ]),
      ),
    );
  }
  for (const [index, { selfMs, frames }] of hotPaths.entries()) {
    lines.push('', paint('bold', `hot path ${index + 1}: ${format(selfMs)} (${share(selfMs)})`));
    for (const [depth, frame] of frames.entries())
      lines.push(
        `${'  '.repeat(Math.min(depth, 20) + 1)}${toPlain(frame.name)} ${paint('dim', renderPlace(frame))}`.trimEnd(),
      );
  }
  for (const note of notes) lines.push('', paint('dim', `note: ${toPlain(note)}`));
  return lines.join('\n');
}

function renderPlace({ url, line }: Pick<TopFunction, 'url' | 'line'>): string {
  if (url === '') return '';
  const short = url.length <= MAX_PLACE_LENGTH ? url : `…${url.slice(-MAX_PLACE_LENGTH + 1)}`;
  return toPlain(line > 0 ? `${short}:${line}` : short);
}

/** Names in a file may hold anything; nothing of it is for the terminal to act on. */
export const toPlain = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, '\uFFFD').slice(0, 120);
