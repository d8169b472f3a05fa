import { DroverError } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';
import { findCommand, LATER_COMMANDS, listSubcommands } from '../registry.ts';
import { renderCommandHelp, renderOverview } from '../render/help.ts';

export const command = defineCommand({
  args: [{ syntax: '[command...]', about: 'a command, such as `start` or `daemon stop`' }],
  options: [],
  run: async (context, { args }) => {
    const words = (args as unknown as readonly [readonly string[] | undefined])[0] ?? [];
    if (words.length === 0) {
      context.print(renderOverview());
      return 0;
    }
    const name = words.join(' ');
    const found = findCommand(words);
    if (found !== null && found.rest.length === 0) {
      const { command } = await found.entry.load();
      context.print(renderCommandHelp(found.entry, command, context.columns));
      return 0;
    }
    const subcommands = words.length === 1 ? listSubcommands(name) : [];
    if (LATER_COMMANDS.includes(name)) throw new DroverError('DROVER_NOT_AVAILABLE', { what: `\`drover ${name}\`` });
    if (subcommands.length === 0)
      throw new DroverError('DROVER_USAGE', { message: `There is no command \`${name}\`.` });
    context.print(`drover ${name} <${subcommands.join('|')}>`);
    return 0;
  },
});
