import { defineCommand, JSON_OPTION } from '../command.ts';
import { paintStatus } from '../render/apps.ts';
import { renderTable } from '../render/table.ts';
import { formatMs, formatNumber } from '../render/values.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [{ syntax: '[app]', about: 'one app instead of all', offers: 'apps' }],
  options: [JSON_OPTION],
  run: async (context, { args: [app], options }) => {
    const document = await (await context.connect()).health(app);
    if (options.json) {
      context.print(JSON.stringify(document));
      return 0;
    }
    const rows = document.apps.flatMap(({ name, status, reason, workers }) => [
      [context.paint('bold', name), paintStatus(status, context), '', '', reason ?? ''],
      ...workers.map(({ id, status, reason, eventLoop }) => [
        `  ${id}`,
        paintStatus(status, context),
        formatMs(eventLoop.delayMs),
        formatNumber(eventLoop.utilization === null ? null : eventLoop.utilization * 100),
        reason ?? '',
      ]),
    ]);
    context.print(renderTable(['app', 'health', 'loop delay', 'loop %', 'reason'], rows));
    return 0;
  },
});
