/** Help texts, from the same definitions that parse. */
import type { CommandDefinition } from '../command.ts';
import { buildCommander } from '../parse.ts';
import { COMMANDS, type CommandEntry } from '../registry.ts';

/** All commands, one line each. */
export const renderOverview = (): string => {
  const visible = COMMANDS.filter(({ isHidden }) => !isHidden);
  const width = Math.max(...visible.map(({ name }) => name.length));
  return [
    'Usage: drover <command> [options]',
    '',
    ...visible.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    '`drover help <command>` explains one. DROVER_HOME says where everything is kept.',
  ].join('\n');
};

/** `drover start [options] [entry] [-- words...]`. */
export const renderUsage = (entry: CommandEntry, { args, options, rest }: CommandDefinition): string =>
  [
    `drover ${entry.name}`,
    options.length > 0 ? '[options]' : '',
    ...args.map(({ syntax }) => syntax),
    rest === undefined ? '' : `[-- ${rest}]`,
  ]
    .filter((part) => part !== '')
    .join(' ');

/** One command in full. */
export const renderCommandHelp = (entry: CommandEntry, definition: CommandDefinition, columns: number): string => {
  const command = buildCommander(entry.name, definition);
  command.usage(renderUsage(entry, definition).slice(`drover ${entry.name} `.length) || ' ');
  command.description([`${entry.summary}.`, definition.details ?? ''].filter((part) => part !== '').join('\n\n'));
  command.configureHelp({ helpWidth: columns });
  const examples = (definition.examples ?? []).map(([words, about]) => `  ${words.padEnd(44)} ${about}`);
  const aliases = entry.aliases === undefined ? [] : ['', `Also: ${entry.aliases.join(', ')}`];
  return [
    command.helpInformation().trimEnd(),
    ...aliases,
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples]),
  ].join('\n');
};
