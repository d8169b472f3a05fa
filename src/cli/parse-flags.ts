/**
 * The shortest way through a command line of nothing but whole flags (`drover ls --json`): it needs no parser, and
 * loading one is a third of the time that `drover ls` takes. Anything else is left to `parse.ts`.
 */
import type { CommandDefinition, CommandInput } from './command.ts';

/** What commander would make of these words; null where commander is needed to tell. */
export const parseFlags = (
  definition: CommandDefinition,
  words: readonly string[],
): CommandInput<Record<string, unknown>> | null => {
  if (definition.args.some(({ syntax }) => !syntax.startsWith('[') || syntax.includes('...'))) return null;
  // `--no-x` is an option with a default, `--x <value>` takes a word: both are commander's business.
  if (definition.options.some(({ flags }) => flags.includes('--no-'))) return null;
  const flags = new Set(definition.options.map((option) => option.flags).filter((text) => /^--[a-z]+$/.test(text)));
  if (!words.every((word) => flags.has(word))) return null;
  return { args: [], options: Object.fromEntries(words.map((word) => [word.slice(2), true])), rest: [] };
};
