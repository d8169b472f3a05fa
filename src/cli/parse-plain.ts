/**
 * The short way through a command line of whole words (`drover start server.js --instances 4`): it needs no parser, and
 * loading one is a good part of the time that a command takes. Says exactly what commander would; anything that it is
 * not sure of (short options, `--name=value`, help, whatever is wrong) is left to `parse.ts`.
 */
import type { CommandDefinition, CommandInput, OptionDefinition } from './command.ts';

type Options = Record<string, unknown>;

interface PlainOption {
  readonly key: string;
  readonly kind: 'flag' | 'negation' | 'value';
  readonly parse: OptionDefinition['parse'];
}

/** What commander would make of these words; null where commander is needed to tell. Throws what an option's `parse` does. */
export const parsePlain = (definition: CommandDefinition, words: readonly string[]): CommandInput<Options> | null => {
  const end = words.indexOf('--');
  if (end !== -1 && definition.rest === undefined) return null;
  const known = readOptions(definition.options);
  if (known === null || definition.args.some(({ syntax }) => syntax.includes('...'))) return null;
  const options: Options = {};
  for (const { key, kind } of known.values()) if (kind === 'negation') options[key] = true;
  const args: (string | undefined)[] = [];
  const own = end === -1 ? words : words.slice(0, end);
  for (let at = 0; at < own.length; at++) {
    const word = own[at]!;
    if (!word.startsWith('-')) {
      args.push(word);
      continue;
    }
    const option = known.get(word);
    if (option === undefined) return null;
    if (option.kind === 'value') {
      const text = own[++at];
      if (text === undefined || text.startsWith('-')) return null;
      options[option.key] = option.parse?.(text, options[option.key]) ?? text;
    } else options[option.key] = option.kind === 'flag';
  }
  const required = definition.args.filter(({ syntax }) => syntax.startsWith('<')).length;
  if (args.length < required || args.length > definition.args.length) return null;
  while (args.length < definition.args.length) args.push(undefined);
  return { args, options, rest: end === -1 ? [] : words.slice(end + 1) };
};

/** By what is typed; null when one of them is of a kind that only commander knows. */
const readOptions = (definitions: readonly OptionDefinition[]): ReadonlyMap<string, PlainOption> | null => {
  const options = new Map<string, PlainOption>();
  for (const { flags, parse } of definitions) {
    const found = /^(?:-\w, )?(--(no-)?([a-z]+(?:-[a-z]+)*))( <[^<>.]+>)?$/.exec(flags);
    if (found === null) return null;
    const [, typed = '', no, name = '', value] = found;
    const kind = no !== undefined ? 'negation' : value !== undefined ? 'value' : 'flag';
    options.set(typed, { key: name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), kind, parse });
  }
  return options;
};
