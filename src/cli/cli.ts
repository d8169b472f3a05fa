/** From words to an exit code: finds the command, parses, runs it, and turns whatever is thrown into an error message. */
import { DroverError, toErrorDocument } from '../protocol/index.ts';
import type { ExitCode } from './command.ts';
import { parsePlain } from './parse-plain.ts';
import type { CliContext } from './context.ts';
import { COMMANDS, findCommand, LATER_COMMANDS, listSubcommands } from './registry.ts';
import { readVersion } from './version.ts';

/** Runs one command line (without `node` and the script). Never throws; never ends the process. */
export const runCli = async (words: readonly string[], context: CliContext): Promise<ExitCode> => {
  try {
    return await dispatch(words, context);
  } catch (error) {
    return reportError(error, wantsJson(words), context);
  }
};

const dispatch = async (words: readonly string[], context: CliContext): Promise<ExitCode> => {
  // Options may stand before the command: `drover --json ls`.
  const at = words.findIndex((word) => !word.startsWith('-'));
  const before = at === -1 ? words : words.slice(0, at);
  if (at === -1 || words[at] === undefined) return runBare(before, context);
  const found = findCommand(words.slice(at));
  if (found === null) throw await findRefusal(words.slice(at));
  const { command } = await found.entry.load();
  const own = [...before, ...found.rest];
  const plain = parsePlain(command, own);
  if (plain !== null) return command.run(context, plain);
  const { parseWords } = await import('./parse.ts');
  const parsed = parseWords(found.entry.name, command, own);
  if (parsed.kind === 'run') return command.run(context, parsed.input);
  const { renderCommandHelp } = await import('./render/help.ts');
  context.print(renderCommandHelp(found.entry, command, context.columns));
  return 0;
};

/** No command at all: `drover`, `drover --help`, `drover --version`. */
const runBare = async (options: readonly string[], context: CliContext): Promise<ExitCode> => {
  const [first, ...others] = options;
  if (others.length === 0 && (first === '--version' || first === '-V' || first === '-v')) {
    context.print(readVersion());
    return 0;
  }
  if (options.length > 0 && !(others.length === 0 && (first === '--help' || first === '-h')))
    throw new DroverError('DROVER_USAGE', { message: `${options.join(' ')}: there is no command.` });
  const { renderOverview } = await import('./render/help.ts');
  context.print(renderOverview());
  return 0;
};

/** Why these words are no command: not built yet, half a command, or a slip of the fingers. */
const findRefusal = async (words: readonly string[]): Promise<DroverError> => {
  const [first = '', second] = words;
  const later = LATER_COMMANDS.find((name) => name === first || name === `${first} ${second ?? ''}`);
  if (later !== undefined) return new DroverError('DROVER_NOT_AVAILABLE', { what: `\`drover ${later}\`` });
  const { findNearest } = await import('../config/index.ts');
  const subcommands = listSubcommands(first);
  if (subcommands.length > 0) {
    const near = second === undefined ? null : findNearest(second, subcommands);
    const message = `\`drover ${first}\` needs one of: ${subcommands.join(', ')}.`;
    return new DroverError('DROVER_USAGE', {
      message,
      ...(near === null ? {} : { suggestion: `drover ${first} ${near}` }),
    });
  }
  const visible = COMMANDS.filter(({ isHidden }) => !isHidden);
  const near = findNearest(first, [
    ...visible.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...LATER_COMMANDS,
  ]);
  const message = `There is no command \`${first}\`.`;
  return new DroverError('DROVER_USAGE', { message, ...(near === null ? {} : { suggestion: `drover ${near}` }) });
};

const wantsJson = (words: readonly string[]): boolean => {
  const at = words.indexOf('--');
  return (at === -1 ? words : words.slice(0, at)).includes('--json');
};

/** Messages repeat what was typed or read, which may be meant for the terminal: `\u001b` stays visible. */
const toPrintable = (text: string): string =>
  text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Tells an error, as text on stderr or as the one JSON document on stdout. */
const reportError = (error: unknown, isJson: boolean, context: CliContext): ExitCode => {
  const known =
    error instanceof DroverError
      ? error
      : new DroverError(
          'DROVER_INTERNAL',
          { message: error instanceof Error ? error.message : String(error) },
          { cause: error },
        );
  if (isJson) context.print(JSON.stringify(toErrorDocument(known)));
  else {
    context.note(toPrintable(known.message));
    if (known.hint !== null) context.note(toPrintable(known.hint));
    // A defect is only useful with its place.
    if (known.code === 'DROVER_INTERNAL' && error instanceof Error && error.stack !== undefined)
      context.note(error.stack);
  }
  return known.exitCode;
};
