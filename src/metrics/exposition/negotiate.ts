/** Which text format a scraper gets: OpenMetrics where it prefers that, else 0.0.4, which everything reads. */
import type { TextFormat } from './write-text.ts';

/** `accept`: the header field as it came; null where there was none. Never refuses. */
export function negotiateFormat(accept: string | null): TextFormat {
  let openmetrics = 0;
  let text = 0;
  // As long as a field may be at all; nobody lists a thousand types.
  for (const part of (accept ?? '').slice(0, 4_096).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const quality = qualityOf(parameters);
    const version = parameters.find((word) => word.startsWith('version='))?.slice('version='.length);
    if (type === 'application/openmetrics-text') {
      if (version === undefined || version === '1.0.0') openmetrics = Math.max(openmetrics, quality);
    } else if (type === 'text/plain' && (version === undefined || version === '0.0.4')) text = Math.max(text, quality);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text';
}

function qualityOf(parameters: readonly string[]): number {
  const word = parameters.find((parameter) => parameter.startsWith('q='));
  if (word === undefined) return 1;
  const quality = Number(word.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
