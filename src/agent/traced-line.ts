/**
 * Puts the trace of a request on what it prints: JSON lines get a field `trace_id`, unless they have one; other text gets
 * ` trace_id=…` at the end of its first line, to which whatever follows in the same write (a stack) belongs.
 */

const FIELD = /"trace_?id"\s*:/i;

/** The same text where nothing is to be added: it has no end of line, and so is a part of one. */
export function addTrace(text: string, traceId: string): string {
  if (!text.endsWith('\n')) return text;
  const lines = text.split('\n');
  const isJson = lines.every((line) => line === '' || (line.startsWith('{') && line.endsWith('}')));
  if (!isJson) {
    const [first = '', ...rest] = lines;
    if (first === '') return text;
    return [first.endsWith('\r') ? first : `${first} trace_id=${traceId}`, ...rest].join('\n');
  }
  return lines
    .map((line) => {
      if (line === '' || FIELD.test(line)) return line;
      const comma = /^\{\s*\}$/.test(line) ? '' : ',';
      return `${line.slice(0, -1)}${comma}"trace_id":"${traceId}"}`;
    })
    .join('\n');
}
