/**
 * Prometheus' text format 0.0.4
 * (https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md): what is written here may hold
 * anything in a help text or a label value. Names were checked when the metric was made.
 */
import type { AppMetric } from '../protocol/index.ts';

export function toPrometheusText(metrics: readonly AppMetric[]): string {
  return metrics.map(writeMetric).join('');
}

function writeMetric({ name, help, type, values }: AppMetric): string {
  const samples = values.map(
    ({ value, labels, metricName }) => `${metricName ?? name}${writeLabels(labels)} ${writeNumber(value)}\n`,
  );
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples.join('')}`;
}

function writeLabels(labels: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function writeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
