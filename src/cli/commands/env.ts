import { APP_ARGUMENT, defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [APP_ARGUMENT],
  options: [JSON_OPTION],
  details: 'Values whose names look like secrets, and passwords and tokens inside addresses, are masked.',
  run: async (context, { args: [app = ''], options }) => {
    const document = await (await context.connect()).env(app);
    if (options.json) context.print(JSON.stringify(document));
    else for (const name of Object.keys(document.env).sort()) context.print(`${name}=${document.env[name]}`);
    return 0;
  },
});
