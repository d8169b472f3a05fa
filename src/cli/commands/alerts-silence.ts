import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { parseId } from '../parse-id.ts';
import { renderSilence } from '../render/alerts.ts';
import { parseTime } from '../time.ts';
import { findDurationMs } from '../../config/index.ts';

const parseSpan =
  (name: string) =>
  (text: string): number => {
    const ms = findDurationMs(text);
    if (ms !== undefined && ms > 0) return ms;
    throw new DroverError('DROVER_USAGE', {
      message: `${name} ${JSON.stringify(text)}: write a duration such as 30m, 2h or 7d.`,
    });
  };

const collect = (text: string, previous: unknown): string[] => {
  if (/^[^=!]+!?=/.test(text)) return [...((previous as string[] | undefined) ?? []), text];
  throw new DroverError('DROVER_USAGE', {
    message: `--match ${JSON.stringify(text)}: write a label and a value, such as severity=ticket or name!=anomaly.`,
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
    { flags: '--comment <text>', about: 'why' },
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
    if (app !== undefined) await client.health(app);
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
