import { DroverError, levelOf, LOG_LEVELS, type LogLineDocument } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { formatTime } from '../render/values.ts';
import { parseTime } from '../time.ts';

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string;
  readonly level?: string;
  readonly lines?: number;
  readonly json?: boolean;
}

const DEFAULT_LINES = 100;

const parseLines = (text: string): number => {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new DroverError('DROVER_USAGE', { message: `--lines ${JSON.stringify(text)}: write a number up to 999999.` });
};

/** The offered name of a level: `WARNING` is `warn`. */
const parseLevel = (text: string): string => {
  const level = levelOf(text);
  const name = LOG_LEVELS.find((one) => levelOf(one) === level);
  if (name !== undefined) return name;
  throw new DroverError('DROVER_USAGE', {
    message: `--level ${JSON.stringify(text)}: use ${LOG_LEVELS.slice(0, -1).join(', ')} or ${LOG_LEVELS.at(-1)}.`,
  });
};

const LONGEST_EXPRESSION = 1_000;

const parseGrep = (text: string): string => {
  if (text.length > LONGEST_EXPRESSION)
    throw new DroverError('DROVER_USAGE', { message: `--grep takes at most ${LONGEST_EXPRESSION} characters.` });
  try {
    return new RegExp(text).source;
  } catch (cause) {
    throw new DroverError('DROVER_USAGE', { message: `--grep: ${(cause as Error).message}.` }, { cause });
  }
};

/** A range in which no line can be, or one that following does not end at. */
const refuseEmpty = ({ since, until, follow }: Options, sinceMs?: number, untilMs?: number): void => {
  if (untilMs === undefined) return;
  if (follow)
    throw new DroverError('DROVER_USAGE', { message: 'With -f there is no --until: what is written goes on.' });
  if (sinceMs === undefined || sinceMs <= untilMs) return;
  throw new DroverError('DROVER_USAGE', {
    message: `--since ${since} is later than --until ${until}: no line can be between them.`,
    suggestion: `--since ${until} --until ${since}`,
  });
};

const renderLine = ({ at, worker, stream, line }: LogLineDocument, { paint }: CliContext): string =>
  `${paint('dim', formatTime(at, true))} ${paint(stream === 'stderr' ? 'red' : 'cyan', worker)} ${line}`;

export const command = defineCommand<Options>({
  args: [{ syntax: '[target]', about: 'an app or a worker (`shop/2`) instead of all apps', offers: 'apps' }],
  options: [
    { flags: '-f, --follow', about: 'go on with what is written from now on' },
    { flags: '--since <time>', about: '`10m`, `2h`, `yesterday`, `14:30`, or an ISO time' },
    { flags: '--until <time>', about: 'the same; not with -f' },
    {
      flags: '--grep <expression>',
      about: 'only records of which a line matches; a stack trace is one record',
      parse: parseGrep,
    },
    {
      flags: '--level <level>',
      about: `only records of this level or above: ${LOG_LEVELS.join(', ')}`,
      parse: parseLevel,
    },
    {
      flags: '--lines <n>',
      about: `the last so many, from the start of a record (default ${DEFAULT_LINES}, all with --since or --grep)`,
      parse: parseLines,
    },
    { flags: '--json', about: 'one JSON document a line' },
  ],
  run: async (context, { args: [target], options }) => {
    const { follow, grep, json, level } = options;
    const sinceMs = options.since === undefined ? undefined : parseTime(options.since, context.nowMs());
    const untilMs = options.until === undefined ? undefined : parseTime(options.until, context.nowMs());
    refuseEmpty(options, sinceMs, untilMs);
    const isBounded = sinceMs !== undefined || untilMs !== undefined || grep !== undefined || level !== undefined;
    const lines = options.lines ?? (isBounded ? undefined : DEFAULT_LINES);
    const client = await context.connect();
    const request = { target: target === 'all' ? undefined : target, sinceMs, untilMs, grep, level, lines, follow };
    const signal = context.interrupted();
    context.endWithReader();
    try {
      for await (const line of client.logs(request, signal))
        context.print(json ? JSON.stringify(line) : renderLine(line, context));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return 0;
  },
});
