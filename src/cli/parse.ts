/** Parses the words of one command with commander, from its definition. What does not fit is DROVER_USAGE. */
import { Command, CommanderError, Option } from 'commander';
import { DroverError } from '../protocol/index.ts';
import type { CommandDefinition, CommandInput } from './command.ts';

export type Parsed =
  | { readonly kind: 'run'; readonly input: CommandInput<Record<string, unknown>> }
  | { readonly kind: 'help' };

/** A commander command for a definition: parses, and knows how to describe itself. */
export const buildCommander = (name: string, definition: CommandDefinition): Command => {
  const command = new Command(`drover ${name}`);
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  command.helpOption('-h, --help', 'show this help').helpCommand(false).showSuggestionAfterError(true);
  command.allowExcessArguments(false);
  for (const argument of definition.args) command.argument(argument.syntax, argument.about);
  for (const option of definition.options) {
    const built = new Option(option.flags, option.about);
    if (option.parse !== undefined) built.argParser(option.parse);
    command.addOption(built);
  }
  return command;
};

/** Words before the first `--` are parsed, those after it are passed on as they are. */
export const parseWords = (name: string, definition: CommandDefinition, words: readonly string[]): Parsed => {
  const at = words.indexOf('--');
  const own = at === -1 ? words : words.slice(0, at);
  const rest = at === -1 ? [] : words.slice(at + 1);
  if (at !== -1 && definition.rest === undefined)
    throw new DroverError('DROVER_USAGE', { message: `\`drover ${name}\` takes nothing after \`--\`.` });
  const command = buildCommander(name, definition);
  try {
    command.action(() => {}).parse([...own], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help' };
    throw toUsage(error, name);
  }
  return {
    kind: 'run',
    input: { args: command.processedArgs as (string | undefined)[], options: command.opts(), rest },
  };
};

/** `error: unknown option '--jsno'\n(Did you mean --json?)` in Drover's form. */
const toUsage = (error: CommanderError, name: string): DroverError => {
  const [first = '', ...others] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (?:one of )?([^?,]+)/.exec(others.join(' '))?.[1];
  const sentence = `${first.slice(0, 1).toUpperCase()}${first.slice(1).replace(/\.$/, '')}.`;
  return new DroverError('DROVER_USAGE', { message: `drover ${name}: ${sentence}`, suggestion }, { cause: error });
};
