import { defineCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { COMMANDS, findCommand, listSubcommands } from '../registry.ts';

/** A daemon that does not answer at once must not make the Tab key hang. */
const PATIENCE_MS = 500;

const listApps = async (context: CliContext): Promise<string[]> => {
  try {
    const { createClient } = await import('../../client/index.ts');
    const { socketPath } = await context.connect();
    const { apps } = await createClient({ socketPath, timeoutMs: PATIENCE_MS }).list();
    return ['all', ...apps.map(({ name }) => name)];
  } catch {
    return []; // No daemon, no names: the shell offers nothing.
  }
};

/** What may stand in the place of the last word. */
const findOffers = async (words: readonly string[], context: CliContext): Promise<readonly string[]> => {
  const before = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const current = words.at(-1) ?? '';
  if (before.length === 0)
    return [...new Set(COMMANDS.filter(({ isHidden }) => !isHidden).map(({ name }) => String(name.split(' ')[0])))];
  const found = findCommand(before);
  if (found === null) return listSubcommands(before.join(' '));
  const { command } = await found.entry.load();
  if (current.startsWith('-')) return command.options.flatMap(({ flags }) => flags.match(/--[\w-]+/g) ?? []);
  const offers = command.args[found.rest.length]?.offers;
  const subcommands = found.rest.length === 0 ? listSubcommands(found.entry.name) : [];
  if (offers === 'apps') return [...subcommands, ...(await listApps(context))];
  return typeof offers === 'object' ? offers : subcommands;
};

export const command = defineCommand({
  args: [],
  options: [],
  rest: 'words...',
  run: async (context, { rest }) => {
    const current = rest.at(-1) ?? '';
    const offers = (await findOffers(rest, context)).filter((offer) => offer.startsWith(current));
    if (offers.length > 0) context.print(offers.join('\n'));
    return 0;
  },
});
