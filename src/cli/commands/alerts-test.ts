import { defineCommand, JSON_OPTION } from '../command.ts';
import { renderTests } from '../render/alerts.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [{ syntax: '[receiver]', about: 'one receiver instead of each' }],
  options: [JSON_OPTION],
  details:
    'Sends an alert that is marked as a test, at once, and tells what came back. Exit 1 where one did not take it.',
  run: async (context, { args: [receiver], options }) => {
    const document = await (await context.connect()).testAlerts(receiver ?? null);
    context.print(options.json ? JSON.stringify(document) : renderTests(document, context));
    return document.receivers.every(({ isTaken }) => isTaken) ? 0 : 1;
  },
});
