import { DroverError, type LogLineDocument } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { parseLevel, passesLevel } from '../log-level.ts';
import { formatTime } from '../render/values.ts';
import { parseTime } from '../time.ts';

interface Options {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string;
  readonly level?: number;
  readonly lines?: number;
  readonly json?: boolean;
}

const DEFAULT_LINES = 100;

const parseLines = (text: string): number => {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new DroverError('DROVER_USAGE', { message: `--lines ${JSON.stringify(text)}: write a number up to 999999.` });
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

const renderLine = ({ at, worker, stream, line }: LogLineDocument, { paint }: CliContext): string =>
  `${paint('dim', formatTime(at, true))} ${paint(stream === 'stderr' ? 'red' : 'cyan', worker)} ${line}`;

export const command = defineCommand<Options>({
  args: [{ syntax: '[target]', about: 'an app or a worker (`shop/2`) instead of all apps', offers: 'apps' }],
  options: [
    { flags: '-f, --follow', about: 'go on with what is written from now on' },
    { flags: '--since <time>', about: '`10m`, `2h`, `yesterday`, `14:30`, or an ISO time' },
    { flags: '--until <time>', about: 'the same' },
    { flags: '--grep <expression>', about: 'only lines that match', parse: parseGrep },
    {
      flags: '--level <level>',
      about: 'only lines of this level or above: trace, debug, info, warn, error, fatal',
      parse: parseLevel,
    },
    {
      flags: '--lines <n>',
      about: `the last so many (default ${DEFAULT_LINES}, all with --since or --grep)`,
      parse: parseLines,
    },
    { flags: '--json', about: 'one JSON document a line' },
  ],
  run: async (context, { args: [target], options }) => {
    const { follow, grep, json, level } = options;
    const sinceMs = options.since === undefined ? undefined : parseTime(options.since, context.nowMs());
    const untilMs = options.until === undefined ? undefined : parseTime(options.until, context.nowMs());
    const isBounded = sinceMs !== undefined || untilMs !== undefined || grep !== undefined || level !== undefined;
    const lines = options.lines ?? (isBounded ? undefined : DEFAULT_LINES);
    const client = await context.connect();
    // The daemon does not know levels: with one, the last lines are counted here.
    const request = { target: target === 'all' ? undefined : target, sinceMs, untilMs, grep, follow };
    const print = (line: LogLineDocument): void => {
      context.print(json ? JSON.stringify(line) : renderLine(line, context));
    };
    const signal = context.interrupted();
    const kept: LogLineDocument[] = [];
    const isCounted = level !== undefined && lines !== undefined && !follow;
    try {
      for await (const line of client.logs({ ...request, lines: level === undefined ? lines : undefined }, signal)) {
        if (level !== undefined && !passesLevel(line, level)) continue;
        if (!isCounted) print(line);
        else if (kept.push(line) > lines) kept.shift();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    kept.forEach(print);
    return 0;
  },
});
