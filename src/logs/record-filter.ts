/** Which records pass `--level` and `--grep`. A record is judged as a whole: by its first line's level, by any line's match. */
import { openGrep } from './grep.ts';
import { lineLevel } from './line-level.ts';
import type { LogStream } from './log-file.ts';

/** The lines of one record, from its first. */
export type RecordText = readonly { readonly text: string }[];

export interface RecordFilter {
  /** For each record, whether it passes. Throws `DROVER_TIMEOUT` where matching takes too long; one call at a time. */
  test(stream: LogStream, records: readonly RecordText[]): Promise<readonly boolean[]>;
  close(): Promise<void>;
}

/** `level`: the least that passes, 10 to 60. Null where everything passes. */
export function openRecordFilter(expression: RegExp | null, level: number | null): RecordFilter | null {
  if (expression === null && level === null) return null;
  const grep = expression === null ? null : openGrep(expression);
  const isLoud = (stream: LogStream, record: RecordText): boolean =>
    level === null || lineLevel(record[0]?.text ?? '', stream) >= level;
  return {
    async test(stream, records) {
      const passes = records.map((record) => isLoud(stream, record));
      if (grep === null) return passes;
      const lines = records.flatMap((record, index) => (passes[index] === true ? record : []));
      const matches = await grep.test(lines.map(({ text }) => text));
      let at = 0;
      return records.map((record, index) => {
        if (passes[index] !== true) return false;
        const own = matches.slice(at, (at += record.length));
        return own.includes(true);
      });
    },
    close: async () => grep?.close(),
  };
}
