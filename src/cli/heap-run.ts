/**
 * What the `heap` commands share: options, the engine's process with its progress on a terminal and its end by Ctrl-C, and
 * where a report goes. What goes wrong comes out in the words of the catalogue.
 */
import { extname, isAbsolute, join } from 'node:path';
import { findSizeBytes } from '../config/index.ts';
import {
  defaultMemoryLimitBytes,
  type HeapAnswerTo,
  type HeapJob,
  type HeapReportFormat,
  runHeapEngine,
} from '../heap/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { OptionDefinition } from './command.ts';
import type { CliContext } from './context.ts';
import { assertReadable, toFileError } from './file-error.ts';
import { formatBytes } from './render/values.ts';
import { readVersion } from './version.ts';
import { assertWritable, writeWhole } from './write-whole.ts';

export interface EngineOptions {
  readonly memoryLimit?: number;
  readonly redact?: boolean;
  readonly sourceMaps?: boolean;
  readonly top?: number;
  readonly json?: boolean;
}

const REPORT_FORMATS: readonly HeapReportFormat[] = ['text', 'json', 'markdown', 'html'];
type ReportFormat = HeapReportFormat;

export interface ReportOptions extends EngineOptions {
  readonly format?: ReportFormat;
  readonly output?: string;
}

const usage = (message: string): DroverError => new DroverError('DROVER_USAGE', { message });

const SMALLEST_LIMIT = '64MB';

export const parseSize =
  (option: string) =>
  (text: string): number => {
    const bytes = /^\d{1,15}$/.test(text) ? Number(text) : findSizeBytes(text);
    if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
    throw usage(`${option} ${JSON.stringify(text)}: write a size such as 512MB or 2GB, or bytes.`);
  };

const parseLimit = (text: string): number => {
  const bytes = parseSize('--memory-limit')(text);
  if (bytes >= (findSizeBytes(SMALLEST_LIMIT) ?? 0)) return bytes;
  throw usage(`--memory-limit ${JSON.stringify(text)}: at least ${SMALLEST_LIMIT}; Node alone needs that.`);
};

const parseTop = (text: string): number => {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw usage(`--top ${JSON.stringify(text)}: write a number from 1 to 9999999.`);
};

/** `1234` or `@1234`. */
export const parseObjectId =
  (option: string) =>
  (text: string): number => {
    const id = /^@?(\d{1,15})$/.exec(text)?.[1];
    if (id !== undefined) return Number(id);
    throw usage(`${option} ${JSON.stringify(text)}: write the number of an object, such as 1234 or @1234.`);
  };

const parseFormat = (text: string): ReportFormat => {
  const found = REPORT_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw usage(
    `--format ${JSON.stringify(text)}: use ${REPORT_FORMATS.slice(0, -1).join(', ')} or ${REPORT_FORMATS.at(-1)}.`,
  );
};

export const ENGINE_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--redact', about: 'replace contents of strings, and keys that are not words of the code' },
  {
    flags: '--memory-limit <size>',
    about: 'of the analysis, such as 2GB (default: four fifths of what is free)',
    parse: parseLimit,
  },
  { flags: '--no-source-maps', about: 'give places in the scripts that ran, and not in what they were made from' },
];

export const TOP_OPTION: OptionDefinition = { flags: '--top <n>', about: 'rows of each table', parse: parseTop };

export const REPORT_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--json', about: 'print one JSON document' },
  {
    flags: '--format <format>',
    about: `${REPORT_FORMATS.join(', ')}; told by the name of the output where there is one`,
    parse: parseFormat,
  },
  { flags: '-o, --output <file>', about: 'write the report there; `-` for standard output' },
  TOP_OPTION,
  ...ENGINE_OPTIONS,
];

const FORMAT_OF_EXTENSION: Readonly<Record<string, ReportFormat>> = {
  '.html': 'html',
  '.htm': 'html',
  '.md': 'markdown',
  '.json': 'json',
};

/** Which form of a report is wanted. Throws DROVER_USAGE where two are asked for. */
export const getFormat = ({ json = false, format, output }: ReportOptions): ReportFormat => {
  if (json && format !== undefined && format !== 'json') throw usage(`--json and --format ${format}: choose one.`);
  if (json) return 'json';
  return format ?? FORMAT_OF_EXTENSION[extname(output ?? '').toLowerCase()] ?? 'text';
};

const getPath = (path: string, { directory }: CliContext): string => (isAbsolute(path) ? path : join(directory, path));

/** Facts of a job that come from the command line. */
export const jobOptions = (
  { redact = false, sourceMaps = true }: EngineOptions,
  { directory }: CliContext,
): { readonly isRedacted: boolean; readonly usesSourceMaps: boolean; readonly root: string } => ({
  isRedacted: redact,
  usesSourceMaps: sourceMaps,
  root: directory,
});

/** Runs one job to its end, with progress where somebody looks. Throws errors of the catalogue. */
export const runHeap = async <Job extends HeapJob>(
  job: Job,
  options: EngineOptions & { readonly output?: string },
  context: CliContext,
): Promise<HeapAnswerTo<Job>> => {
  const files = job.kind === 'diff' ? job.files : [job.file];
  for (const file of files) await assertReadable(file);
  const { output = '-' } = options;
  if (output !== '-') await assertWritable(getPath(output, context), output, files);
  const memoryLimitBytes = options.memoryLimit ?? defaultMemoryLimitBytes();
  const signal = context.interrupted();
  const progress = openProgress(context);
  try {
    return await runHeapEngine(job, { memoryLimitBytes, signal, onProgress: progress.show });
  } catch (error) {
    throw toEngineError(error, { signal, files, memoryLimitBytes });
  } finally {
    progress.close();
  }
};

interface Failed {
  readonly signal: AbortSignal;
  readonly files: readonly string[];
  readonly memoryLimitBytes: number;
}

const toEngineError = (error: unknown, { signal, files, memoryLimitBytes }: Failed): unknown => {
  const name = error instanceof Error ? error.name : '';
  // The terminal interrupts the engine as well, which may be seen first.
  const { message } = error as Error;
  if (signal.aborted || (name === 'EngineFailure' && message.includes('SIGINT')))
    return new DroverError('DROVER_CANCELLED', { what: `Reading ${files.join(', ')}` });
  if (name === 'EngineFailure') {
    const { kind } = error as Error & { readonly kind: 'memory' | 'crashed' };
    if (kind === 'memory')
      return new DroverError(
        'DROVER_MEMORY_LIMIT',
        { limit: formatBytes(memoryLimitBytes), what: message },
        { cause: error },
      );
    return new DroverError('DROVER_INTERNAL', { message }, { cause: error });
  }
  if (name === 'NotInSnapshot') {
    const { file, what, suggestion } = error as Error & Record<'file' | 'what' | 'suggestion', string>;
    return new DroverError('DROVER_OBJECT_UNKNOWN', { file, what, suggestion }, { cause: error });
  }
  return toFileError(error, files[0] ?? '');
};

const CLEAR_LINE = '\r\u001b[2K';

const openProgress = ({ isInteractive, draw, columns }: CliContext) => {
  let isDrawn = false;
  return {
    show: ({ phase, share }: { readonly phase: string; readonly share: number | null }): void => {
      if (!isInteractive) return;
      isDrawn = true;
      const percent = share === null ? '' : ` ${Math.floor(share * 100)} %`;
      draw(`${CLEAR_LINE}${phase.slice(0, Math.max(10, columns - 8))}${percent}`);
    },
    close: (): void => {
      if (isDrawn) draw(CLEAR_LINE);
    },
  };
};

/** Prints a report, or writes it where `-o` says and tells so on stderr. */
export const deliver = async (text: string, { output }: ReportOptions, context: CliContext): Promise<void> => {
  if (output === undefined || output === '-') {
    context.print(text.endsWith('\n') ? text.slice(0, -1) : text);
    return;
  }
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  await writeWhole(getPath(output, context), [whole], output, context.interrupted());
  context.note(`Wrote ${output} (${formatBytes(Buffer.byteLength(whole))}).`);
};

/** The file as the engine finds it, wherever it stands. */
export const resolveFile = (file: string | undefined, context: CliContext): string => getPath(file ?? '', context);

export const FILE_ARGUMENT = {
  syntax: '<file>',
  about: 'a heap snapshot, plain, gzip or zstd',
  offers: 'files',
} as const;

export const textOptions = (
  { top }: EngineOptions,
  { paint }: CliContext,
  standard: number,
): { readonly top: number; readonly paint: CliContext['paint']; readonly madeBy: string } => ({
  top: top ?? standard,
  paint,
  madeBy: `Made by drover ${readVersion()}`,
});
