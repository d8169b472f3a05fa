import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { showLive, WATCH_OPTION } from '../live.ts';
import { parseId } from '../parse-id.ts';
import { renderAlerts } from '../render/alerts.ts';

export const command = defineCommand<{ json?: boolean; watch?: boolean; retry?: string; drop?: string }>({
  args: [],
  options: [
    { flags: '--retry <id>', about: 'deliver once more what was given up', parse: parseId('--retry') },
    { flags: '--drop <id>', about: 'forget what was given up', parse: parseId('--drop') },
    WATCH_OPTION,
    JSON_OPTION,
  ],
  run: async (context, { options }) => {
    if (options.retry !== undefined && options.drop !== undefined)
      throw new DroverError('DROVER_USAGE', { message: 'Say either --retry or --drop, not both.' });
    const client = await context.connect();
    if (options.retry !== undefined) await client.retryDelivery(options.retry);
    if (options.drop !== undefined) await client.dropDelivery(options.drop);
    const { json, watch = false } = options;
    return showLive(
      context,
      { read: () => client.alerts(), render: (found) => renderAlerts(found, context) },
      { json, watch },
    );
  },
});
