/**
 * Reads the output of apps: merged over workers and streams, in time order by the index, inside a file in the order of
 * the file. Reads only what is asked for, one block at a time, and no faster than the caller takes the lines. It needs
 * no daemon: files and indices are all there is. Following, it reads in rounds; every round is a merge of what was
 * written since the one before, so order holds across rounds as well.
 */
import type { Clock, LogLineDocument } from '../protocol/index.ts';
import { watchActivity } from './activity.ts';
import { readShelves } from './archive-name.ts';
import { intoRecords } from './group-lines.ts';
import { listLogFiles, logDirectory } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { logState } from './log-reader.ts';
import type { LogState } from './log-reader.ts';
import { mergeSources } from './merge.ts';
import { openRecordFilter } from './record-filter.ts';
import type { RecordFilter } from './record-filter.ts';
import { flushSource, hasRest, openSource, restartSource, timeRange } from './source.ts';
import type { LogSource, OnRead, TimedLine } from './source.ts';
import { openLineFinder } from './tail.ts';
import type { RecordTest } from './tail.ts';
import { openTimeIndex } from './time-index.ts';

export interface ReadLogsOptions {
  readonly home: string;
  readonly apps: readonly string[];
  readonly clock: Clock;
  /** Which of their files; all where it is left out. */
  readonly wants?: (file: Pick<LogFile, 'app' | 'slot' | 'generation' | 'stream'>) => boolean;
  readonly sinceMs?: number | null;
  readonly untilMs?: number | null;
  /** Only records (a stack trace is one) of which a line matches. */
  readonly grep?: RegExp | null;
  /** Only records of this level or above, 10 (trace) to 60 (fatal). */
  readonly level?: number | null;
  /**
   * Only the last so many of the lines that pass, over all files together, and the rest of the record in which they
   * begin; with `follow`, of those so far.
   */
  readonly lines?: number | null;
  /** Goes on with what is written from now on, until `signal`; `untilMs` is then without effect. */
  readonly follow?: boolean;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal | null;
  readonly onRead?: OnRead;
}

/**
 * Following, an unfinished last line is shown when its file has not grown for this long: the last words of a crash, a
 * prompt. Not sooner, because a writer on a busy machine may pause in mid-line, and would see it as two.
 */
export const UNFINISHED_LINE_MS = 1_000;

/** The same for a record that looks as if more of it were to come: its lines were most likely written in one go. */
export const OPEN_RECORD_MS = 200;

interface Request {
  readonly home: string;
  readonly apps: readonly string[];
  readonly clock: Clock;
  readonly wants: (file: LogFile) => boolean;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly filter: RecordFilter | null;
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly onRead: OnRead;
}

export async function* readLogs(options: ReadLogsOptions): AsyncGenerator<LogLineDocument, void, void> {
  const filter = openRecordFilter(options.grep ?? null, options.level ?? null);
  const request: Request = {
    home: options.home,
    apps: options.apps,
    clock: options.clock,
    wants: options.wants ?? (() => true),
    sinceMs: options.sinceMs ?? 0,
    untilMs: options.untilMs ?? Number.MAX_SAFE_INTEGER - 1,
    filter,
    lines: options.lines ?? Infinity,
    follow: options.follow ?? false,
    signal: options.signal ?? new AbortController().signal,
    onRead: options.onRead ?? (() => {}),
  };
  try {
    const sources = await openHistory(request);
    let beyond = 0;
    if (Number.isFinite(request.lines)) {
      const count = await cutToTail(sources, request);
      beyond = Math.max(0, count - request.lines);
    }
    for await (const record of round(sources, request)) {
      if (record.length <= beyond) beyond -= record.length;
      else {
        beyond = 0;
        yield* record;
      }
    }
    if (request.follow) yield* follow(sources, request);
  } finally {
    await filter?.close();
  }
}

/** The last `count` lines of one worker's stdout and stderr: what a start that failed had to say. */
export async function lastLines(
  worker: { readonly home: string; readonly app: string; readonly slot: number; readonly generation: number },
  count: number,
  clock: Clock,
): Promise<LogLineDocument[]> {
  const { home, app, slot, generation } = worker;
  const wants = (file: Pick<LogFile, 'slot' | 'generation'>): boolean =>
    file.slot === slot && file.generation === generation;
  const lines: LogLineDocument[] = [];
  for await (const line of readLogs({ home, apps: [app], clock, wants, lines: count })) lines.push(line);
  // A long record may begin before what was asked for.
  return lines.slice(-count);
}

/** A source for each file, from the first line in the wanted time to the last, as things are now. */
async function openHistory(request: Request): Promise<LogSource[]> {
  const sources: LogSource[] = [];
  for (const { file, state } of wantedFiles(request)) {
    const { size, modifiedMs, base } = state;
    const index = openTimeIndex(file.indexPath);
    const range = timeRange(index, state, request.sinceMs, request.untilMs);
    index.close();
    let { start, end } = range;
    if (start < end && (start > base || end < size || request.follow)) {
      const finder = await openLineFinder(file, request.onRead);
      if (finder === null) continue;
      try {
        // Not below `end`, which may lie within a record: none that begins before `start` has a part in this.
        start = await finder.recordStart(start, size);
        // Following, an unfinished line belongs to what comes.
        end = request.follow ? await finder.lastLineEnd(start, size) : await finder.recordStart(end, size);
      } finally {
        await finder.close();
      }
    }
    sources.push(openSource(file, start, end, modifiedMs));
  }
  return sources;
}

/** Moves each source to where the last lines may begin; returns how many lines they then have together. */
async function cutToTail(sources: LogSource[], { lines, filter, signal, onRead }: Request): Promise<number> {
  let total = 0;
  let oldestMs = Infinity;
  // Newest first: once enough lines are known, a file that was last written before the oldest of them has none.
  for (const source of [...sources].sort((a, b) => b.modifiedMs - a.modifiedMs)) {
    const isTooOld = total >= lines && source.modifiedMs < oldestMs;
    if (source.position >= source.end) continue;
    const finder = isTooOld || signal.aborted ? null : await openLineFinder(source.file, onRead);
    if (finder === null) {
      moveTo(source, source.end);
      continue;
    }
    const { stream } = source.file;
    const test: RecordTest | null = filter === null ? null : (records) => filter.test(stream, records);
    const tail = await finder.tail(source.position, source.end, lines, test, signal).finally(() => finder.close());
    moveTo(source, tail.offset);
    if (tail.count === 0) continue;
    total += tail.count;
    const index = openTimeIndex(source.file.indexPath);
    oldestMs = Math.min(oldestMs, index.timeOf(tail.offset) ?? source.modifiedMs);
    index.close();
  }
  return total;
}

function moveTo(source: LogSource, position: number): void {
  Object.assign(source, openSource(source.file, position, source.end, source.modifiedMs));
}

/** Everything from each source's position to its end, merged, a record at a time. */
async function* round(sources: readonly LogSource[], request: Request): AsyncGenerator<LogLineDocument[]> {
  for await (const { file, lines } of mergeSources(sources, !request.follow, request.onRead)) {
    if (request.signal.aborted) return;
    yield* passing(file, lines, request);
  }
}

async function* passing(
  file: LogFile,
  lines: readonly TimedLine[],
  { filter }: Request,
): AsyncGenerator<LogLineDocument[]> {
  const records = intoRecords(lines);
  const passes = filter === null ? null : await filter.test(file.stream, records);
  const worker = `${file.app}/${file.slot}`;
  for (const [index, record] of records.entries()) {
    if (passes !== null && passes[index] !== true) continue;
    const at = new Date(record[0]?.atMs ?? 0).toISOString();
    yield record.map(({ text }) => ({ at, app: file.app, worker, stream: file.stream, line: text }));
  }
}

async function* follow(history: readonly LogSource[], request: Request): AsyncGenerator<LogLineDocument> {
  const { home, apps, clock, signal } = request;
  const sources = new Map(history.map((source) => [source.file.path, source]));
  /** When a file was last found to have grown, by path. */
  const grewAtMs = new Map<string, number>();
  let wake: () => void = () => {};
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  const activities = apps.map((app) =>
    watchActivity({
      directory: logDirectory(home, app),
      keepsAlive: true,
      onTick: () => {
        const hasGrown = wantedFiles(request, [app]).some(
          ({ file, state }) => state.size !== (sources.get(file.path)?.position ?? state.base),
        );
        if (hasGrown) wake();
        return hasGrown;
      },
    }),
  );
  try {
    while (!signal.aborted) {
      const growing = extend(sources, request);
      // All at once: while a line is with the caller, a file may grow that was silent when we looked.
      const unfinished = [...sources.values()].flatMap((source) => {
        const silentMs = clock.monotonicMs() - (grewAtMs.get(source.file.path) ?? 0);
        const isSilent = !growing.includes(source) && silentMs >= patienceMs(source);
        return isSilent && hasRest(source) ? [{ file: source.file, lines: flushSource(source) }] : [];
      });
      for (const { file, lines } of unfinished) yield* flat(passing(file, lines, request));
      yield* flat(round(growing, request));
      // From the end of the round: the caller may have taken long, and the writer gone on.
      for (const source of growing) grewAtMs.set(source.file.path, clock.monotonicMs());
      if (signal.aborted) return;
      // What was written while the caller took the lines has been ticked already, to nobody.
      if (extend(sources, request).length > 0) continue;
      const waitsMs = [...sources.values()].filter(hasRest).map(patienceMs);
      await new Promise<void>((resolve) => {
        const timer = waitsMs.length > 0 ? setTimeout(resolve, Math.min(...waitsMs)) : null;
        wake = () => {
          if (timer !== null) clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const activity of activities) activity.close();
  }
}

const patienceMs = ({ splitter }: LogSource): number => (splitter.isMidLine ? UNFINISHED_LINE_MS : OPEN_RECORD_MS);

async function* flat<Item>(lists: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const list of lists) yield* list;
}

/** Brings the ends of the sources up to date, adds new files, forgets removed ones; returns those with something new. */
function extend(sources: Map<string, LogSource>, request: Request): LogSource[] {
  const growing: LogSource[] = [];
  const files = wantedFiles(request);
  const present = new Set(files.map(({ file }) => file.path));
  for (const path of sources.keys()) if (!present.has(path)) sources.delete(path);
  for (const { file, state } of files) {
    const source = sources.get(file.path) ?? openSource(file, state.base, 0, 0);
    sources.set(file.path, source);
    if (state.size < source.position || source.position < state.base) restartSource(source, state.base);
    source.end = state.size;
    source.modifiedMs = state.modifiedMs;
    if (source.position < source.end) growing.push(source);
  }
  return growing;
}

interface FoundFile {
  readonly file: LogFile;
  readonly state: LogState;
}

function wantedFiles({ home, apps, wants }: Request, only: readonly string[] = apps): FoundFile[] {
  const files = only.flatMap((app) => listLogFiles(home, app)).filter(wants);
  return [...readShelves(files)].flatMap(([file, shelf]) => {
    const state = logState(file, shelf);
    return state === undefined ? [] : [{ file, state }];
  });
}
