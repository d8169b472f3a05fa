import { APP_ARGUMENT, defineCommand, JSON_OPTION } from '../command.ts';
import { toPlainLines } from '../render/plain.ts';
import { formatTime } from '../render/values.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [APP_ARGUMENT],
  options: [JSON_OPTION],
  run: async (context, { args: [app = ''], options }) => {
    const document = await (await context.connect()).why(app);
    if (options.json) context.print(JSON.stringify(document));
    else {
      context.print(toPlainLines(document.summary));
      for (const { at, event, because, lastLines = [] } of document.chain) {
        const cause = because === '' ? '' : `, because ${because}`;
        context.print(`  ${formatTime(at, true)}  ${toPlainLines(event + cause)}`);
        for (const line of lastLines) context.print(context.paint('dim', `      | ${line}`));
      }
    }
    return 0;
  },
});
