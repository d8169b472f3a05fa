import { DroverError, type EventDocument } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toPlainLines } from '../render/plain.ts';
import { formatTime } from '../render/values.ts';

const parseLines = (text: string): number => {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new DroverError('DROVER_USAGE', { message: `--lines ${JSON.stringify(text)}: write a number up to 99999.` });
};

const renderEvent = ({ at, app, worker, type, reason }: EventDocument, { paint }: CliContext): string => {
  const subject = worker ?? app ?? 'daemon';
  return `${paint('dim', formatTime(at, true))} ${paint('cyan', subject)} ${type}${reason === null ? '' : `: ${toPlainLines(reason)}`}`;
};

export const command = defineCommand<{ follow?: boolean; lines?: number; json?: boolean }>({
  args: [{ syntax: '[app]', about: 'one app instead of all', offers: 'apps' }],
  options: [
    { flags: '-f, --follow', about: 'go on with what happens from now on' },
    { flags: '--lines <n>', about: 'the last so many (default 100)', parse: parseLines },
    { flags: '--json', about: 'one JSON document a line' },
  ],
  run: async (context, { args: [app], options }) => {
    const client = await context.connect();
    const signal = context.interrupted();
    context.endWithReader();
    try {
      for await (const event of client.events({ app, limit: options.lines, follow: options.follow }, signal))
        context.print(options.json ? JSON.stringify(event) : renderEvent(event, context));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return 0;
  },
});
