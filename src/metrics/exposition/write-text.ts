/**
 * Writes families as the Prometheus text format 0.0.4 or as OpenMetrics 1.0. Takes any families: whatever they hold, the
 * page parses. What would be there twice is written once.
 *
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/).
 */
import type { Family, Labels } from './family.ts';
import { labelsKey } from './family.ts';
import { SLICE, type Sliced } from './slices.ts';

export type TextFormat = 'text' | 'openmetrics';

export const CONTENT_TYPE: Readonly<Record<TextFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Names must be unique and valid, as must be those of labels ({@link file://./names.ts}); texts need not be escaped. */
export function* writeText(families: readonly Family[], format: TextFormat): Sliced<string> {
  const lines: string[] = [];
  const heads = new Set(families.map(({ name }) => name));
  for (const family of families) {
    if (family.points.length === 0) continue;
    writeFamily(lines, family, format, heads);
    if (family.points.length > SLICE) yield;
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function writeFamily(lines: string[], family: Family, format: TextFormat, heads: ReadonlySet<string>): void {
  const { name, type } = headOf(family, format, heads);
  lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${type}`);
  const unit = format === 'openmetrics' ? UNITS.find((word) => name.endsWith(`_${word}`)) : undefined;
  if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
  const seen = new Set<string>();
  for (const point of family.points) {
    const key = labelsKey(point.labels);
    if (seen.has(key)) continue;
    seen.add(key);
    if ('value' in point) {
      lines.push(`${family.name}${writeLabels(point.labels)} ${writeNumber(point.value)}`);
      continue;
    }
    const labels = writePairs(point.labels);
    const withLast = (last: string, value: string): string =>
      `{${labels === '' ? '' : `${labels},`}${last}="${value}"}`;
    if ('bounds' in point) {
      point.bounds.forEach((bound, at) =>
        lines.push(`${family.name}_bucket${withLast('le', bound)} ${writeNumber(point.cumulative[at] ?? 0)}`),
      );
      lines.push(`${family.name}_bucket${withLast('le', '+Inf')} ${writeNumber(point.count)}`);
    } else {
      for (const [quantile, value] of point.quantiles) {
        lines.push(`${family.name}${withLast('quantile', quantile)} ${writeNumber(value)}`);
      }
    }
    const braces = labels === '' ? '' : `{${labels}}`;
    lines.push(
      `${family.name}_sum${braces} ${writeNumber(point.sum)}`,
      `${family.name}_count${braces} ${writeNumber(point.count)}`,
    );
  }
}

/** Units of OpenMetrics that end names of ours. Only said where the name ends in it, as the format demands. */
const UNITS = ['seconds', 'bytes'];

const TYPE_WORDS = { text: 'untyped', openmetrics: 'unknown' };

function headOf(
  family: Family,
  format: TextFormat,
  heads: ReadonlySet<string>,
): { readonly name: string; readonly type: string } {
  const { name, type } = family;
  if (type === 'unknown') return { name, type: TYPE_WORDS[format] };
  if (format === 'text' || type !== 'counter') return { name, type };
  // OpenMetrics would have a counter end in `_total`, and says of its family what the name is without. Another name would
  // not be the app's, so such a counter keeps it and is of unknown type.
  const stem = name.endsWith('_total') ? name.slice(0, -'_total'.length) : '';
  return stem === '' || heads.has(stem) ? { name, type: TYPE_WORDS[format] } : { name: stem, type };
}

const writeLabels = (labels: Labels): string => (labels.length === 0 ? '' : `{${writePairs(labels)}}`);

const writePairs = (labels: Labels): string =>
  labels.map(([name, value]) => `${name}="${NEEDS_ESCAPE.test(value) ? escapeValue(value) : value}"`).join(',');

const NEEDS_ESCAPE = /[\\"\n]/;
const escapeValue = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const escapeHelp = (text: string, format: TextFormat): string =>
  format === 'openmetrics' ? escapeValue(text) : text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

export const writeNumber = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);

/** OpenMetrics wants bounds as floating-point numbers; ours are written so in both formats, so that series stay the same. */
export const writeBound = (value: number): string => {
  const text = writeNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
};
