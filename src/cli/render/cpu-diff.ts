/** `drover cpu diff` for people: a sentence for each function that changed. */
import type { DiffDocument, DiffFunction } from '../../cpu/index.ts';
import type { CliContext } from '../context.ts';
import { toPlain, toPlainName, toPlainPlace } from './plain.ts';

const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;
const signed = (part: number): string => `${part > 0 ? '+' : '−'}${Math.abs(100 * part).toFixed(0)} %`;
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

export function renderDiff(document: DiffDocument, context: CliContext): string {
  const { changed, differences, windows, launches, tested, onCpuMsPerSecond, options, notes } = document;
  const { paint } = context;
  const sets = ([0, 1] as const).map((side) =>
    launches[side] < windows[side]
      ? `${count(windows[side], 'window')} of ${count(launches[side], 'launch').replace(/chs$/u, 'ches')}`
      : count(windows[side], 'window'),
  );
  const lines = [`${sets[0]} against ${sets[1]}; ${count(tested, 'function')} tested, ${changed.length} changed`];
  if (onCpuMsPerSecond !== null) {
    const [a, b] = onCpuMsPerSecond;
    lines.push(`busy ${a.toFixed(0)} → ${b.toFixed(0)} ms of a core per second`);
  }
  lines.push('');
  for (const one of changed) lines.push(describeChange(one, paint));
  if (tested > 0 && changed.length === 0)
    lines.push(
      `No function changed by ${percent(options.minEffect, 0)} or more beyond what the windows of each set differ among themselves.`,
    );
  if (differences.length > 0) {
    lines.push('Differences, not tested:');
    for (const { selfShare, ...one } of differences)
      lines.push(`  ${percent(selfShare[0])} → ${percent(selfShare[1])}  ${renderName(one)}`);
  }
  for (const note of notes) lines.push('', paint('dim', `note: ${toPlain(note)}`));
  return lines.join('\n');
}

function describeChange(one: DiffFunction, paint: CliContext['paint']): string {
  const { selfShare, selfMsPerSecond, effect, interval, q, was, comparedWithin } = one;
  const [a, b] = selfShare;
  const isMore = (effect ?? 0) > 0;
  const shares =
    a === 0
      ? `takes ${percent(b)} of CPU; it did not run before`
      : b === 0
        ? `does not run any more; it took ${percent(a)} of CPU`
        : `takes ${percent(b)} instead of ${percent(a)} of CPU`;
  const change =
    a === 0 || b === 0 || effect === null || interval === null
      ? ''
      : `, ${paint(isMore ? 'red' : 'green', signed(effect))} for the same work (95 % CI ${signed(interval[0])} to ${signed(interval[1])})`;
  const time =
    selfMsPerSecond === null ? '' : `; ${selfMsPerSecond[0].toFixed(1)} → ${selfMsPerSecond[1].toFixed(1)} ms a second`;
  const lines = [`${renderName(one)} ${shares}${change}, q ${formatQ(q ?? 1)}${time}`];
  if (was !== null) lines.push(paint('dim', `  it was ${renderName(was)}`));
  const within = comparedWithin.filter((name) => name !== '(root)').map(toPlainName);
  if (within.length > 0) lines.push(paint('dim', `  measured against the rest of ${within.slice(0, 3).join(', ')}`));
  return lines.join('\n');
}

function renderName({
  name,
  url,
  line,
}: {
  readonly name: string;
  readonly url: string;
  readonly line: number;
}): string {
  const place = url === '' ? '' : ` (${toPlainPlace(url, line)})`;
  return `\`${toPlainName(name)}\`${place}`;
}

const formatQ = (q: number): string => (q < 0.001 ? 'below 0.001' : q.toPrecision(q < 0.01 ? 1 : 2));
