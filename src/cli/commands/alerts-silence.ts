import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { parseId } from '../parse-id.ts';
import { renderSilence } from '../render/alerts.ts';
import { parseTime } from '../time.ts';
import { findDurationMs } from '../../config/index.ts';

const LONGEST_MS = 10 * 366 * 86_400_000;
/** What the daemon takes. */
const LONGEST_MATCHER = 1_000;

const quote = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

const parseSpan =
  (name: string) =>
  (text: string): number => {
    const ms = findDurationMs(text);
    if (ms !== undefined && ms > 0 && ms <= LONGEST_MS) return ms;
    throw new DroverError('DROVER_USAGE', {
      message: `${name} ${quote(text)}: write a duration such as 30m, 2h or 7d, of at most ten years.`,
    });
  };

const collect = (text: string, previous: unknown): string[] => {
  if (/^\s*[a-z_]\w*\s*!?=/i.test(text) && text.length <= LONGEST_MATCHER)
    return [...((previous as string[] | undefined) ?? []), text];
  throw new DroverError('DROVER_USAGE', {
    message: `--match ${quote(text)}: write a label and a value, such as severity=ticket or name!=anomaly, of at most ${LONGEST_MATCHER} characters.`,
  });
};

const parseComment = (text: string): string => {
  if (text.length <= LONGEST_MATCHER) return text;
  throw new DroverError('DROVER_USAGE', {
    message: `--comment ${quote(text)}: write at most ${LONGEST_MATCHER} characters.`,
  });
};

export const command = defineCommand<{
  json?: boolean;
  for?: number;
  every?: number;
  from?: number;
  comment?: string;
  match?: string[];
  end?: string;
}>({
  args: [{ syntax: '[app]', about: 'alerts of this app', offers: 'apps' }],
  options: [
    { flags: '--for <duration>', about: 'how long (default 1h)', parse: parseSpan('--for') },
    {
      flags: '--match <label=value>',
      about: 'only these: name, severity, app, worker or a label; `!=` and `*` work',
      parse: collect,
    },
    {
      flags: '--from <time>',
      about: 'from then on (`14:30`, `2026-11-25T14:30`) instead of now',
      parse: (text) => parseTime(text, Date.now()),
    },
    { flags: '--every <duration>', about: 'again and again: a maintenance window', parse: parseSpan('--every') },
    { flags: '--comment <text>', about: 'why', parse: parseComment },
    { flags: '--end <id>', about: 'end this silence now', parse: parseId('--end') },
    JSON_OPTION,
  ],
  examples: [
    ['drover alerts silence shop --for 2h --comment migration', 'nothing of shop is told for two hours'],
    ['drover alerts silence --match severity=ticket --for 8h', 'no tickets over night'],
  ],
  run: async (context, { args: [app], options }) => {
    const client = await context.connect();
    const print = (silence: Parameters<typeof renderSilence>[0]): 0 => {
      context.print(options.json ? JSON.stringify(silence) : renderSilence(silence));
      return 0;
    };
    if (options.end !== undefined) return print(await client.expireSilence(options.end));
    const matchers = [...(app === undefined ? [] : [`app=${app}`]), ...(options.match ?? [])];
    if (matchers.length === 0)
      throw new DroverError('DROVER_USAGE', { message: 'Name an app, or say which alerts with --match.' });
    // One that is misspelt would keep nobody quiet.
    if (app !== undefined) await client.show(app);
    const startMs = options.from ?? context.nowMs();
    const silence = await client.silenceAlerts({
      matchers,
      startsAt: options.from === undefined ? null : new Date(startMs).toISOString(),
      endsAt: new Date(startMs + (options.for ?? 3_600_000)).toISOString(),
      everyMs: options.every ?? null,
      comment: options.comment ?? '',
    });
    return print(silence);
  },
});
