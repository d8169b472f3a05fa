/**
 * Which names and texts may stand on a page. What is not allowed is refused, never repaired: a repaired name could be that of
 * another metric. Texts are made well-formed and cut.
 *
 * Rules: Prometheus data model (https://prometheus.io/docs/concepts/data_model/) before UTF-8 names, which every
 * Prometheus, promtool and Grafana reads.
 */

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const LONGEST_NAME = 200;
export const LONGEST_LABEL_VALUE = 1_024;
export const LONGEST_HELP = 1_000;
/** Prometheus' own limits are off by default; what has more is no metric but a data set. */
export const MOST_LABELS = 64;

export const isMetricName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= LONGEST_NAME && METRIC_NAME.test(name);

/** Names with two underscores in front are Prometheus' own. */
export const isLabelName = (name: string): boolean =>
  name.length <= LONGEST_NAME && LABEL_NAME.test(name) && !name.startsWith('__');

/**
 * As it arrives at the reader: half of a surrogate pair would become another character on the wire, where two values
 * could turn out the same. A zero byte ends a text for readers written in C (Prometheus itself does not mind).
 */
export const cleanText = (text: string, longest: number): string =>
  text.slice(0, longest).toWellFormed().replaceAll('\0', '\uFFFD');
