/**
 * Puts the lines of many files in the order of their times. Inside a file its own order holds, whatever the times say.
 * Lines of one index interval (at most 100 ms) come file by file.
 */
import { compareLogFiles } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { openRun } from './source.ts';
import type { LogSource, OnRead, Run, TimedLine } from './source.ts';

export interface MergedLines {
  readonly file: LogFile;
  readonly lines: readonly TimedLine[];
}

/** Reads each source from its position to its end. */
export async function* mergeSources(
  sources: readonly LogSource[],
  flushesAtEnd: boolean,
  onRead: OnRead,
): AsyncGenerator<MergedLines> {
  const runs = sources
    .filter((source) => source.position < source.end)
    .map((source) => openRun(source, flushesAtEnd, onRead));
  // The head of a run that was not read yet is where its index says: good enough to decide whose turn it is.
  const queue = runs.map((run) => ({ run, headMs: run.headMs() })).sort(compareHeads);
  try {
    for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
      const { run } = first;
      const lines = run.take(limitBefore(queue[0], run));
      if (lines.length > 0) yield { file: run.source.file, lines };
      else await run.fill();
      const headMs = run.headMs();
      if (headMs === Infinity) await run.close();
      else insert(queue, { run, headMs });
    }
  } finally {
    for (const run of runs) await run.close();
  }
}

interface Queued {
  readonly run: Run;
  readonly headMs: number;
}

/** How far `run` may go before it is the turn of `next`; among equal times the order of the files decides. */
function limitBefore(next: Queued | undefined, run: Run): number {
  if (next === undefined) return Infinity;
  return compareLogFiles(run.source.file, next.run.source.file) < 0 ? next.headMs : next.headMs - 1;
}

const compareHeads = (a: Queued, b: Queued): number =>
  a.headMs - b.headMs || compareLogFiles(a.run.source.file, b.run.source.file);

function insert(queue: Queued[], entry: Queued): void {
  let at = 0;
  // Nearly always among the first: runs take turns.
  for (let other = queue[at]; other !== undefined && compareHeads(other, entry) < 0; other = queue[at]) at += 1;
  queue.splice(at, 0, entry);
}
