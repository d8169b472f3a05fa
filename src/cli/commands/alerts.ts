import { defineCommand, JSON_OPTION } from '../command.ts';
import { renderAlerts } from '../render/alerts.ts';

export const command = defineCommand<{ json?: boolean; retry?: string; drop?: string }>({
  args: [],
  options: [
    { flags: '--retry <id>', about: 'deliver once more what was given up' },
    { flags: '--drop <id>', about: 'forget what was given up' },
    JSON_OPTION,
  ],
  run: async (context, { options }) => {
    const client = await context.connect();
    if (options.retry !== undefined) await client.retryDelivery(options.retry);
    if (options.drop !== undefined) await client.dropDelivery(options.drop);
    const document = await client.alerts();
    context.print(options.json ? JSON.stringify(document) : renderAlerts(document, context));
    return 0;
  },
});
