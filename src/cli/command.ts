/** What a command is: data that parses, helps, completes and documents itself, and one function that does it. */
import type { CliContext } from './context.ts';

export interface ArgumentDefinition {
  /** `<app>` is required, `[app]` is not. */
  readonly syntax: string;
  readonly about: string;
  /** What completion offers here. */
  readonly offers?: 'apps' | 'files' | readonly string[];
}

export interface OptionDefinition {
  /** As commander writes it: `-f, --follow`, `--lines <n>`. */
  readonly flags: string;
  readonly about: string;
  /** Turns the typed value into what the command uses; throws DROVER_USAGE. With `isRepeatable` it gets the previous one. */
  readonly parse?: (text: string, previous: unknown) => unknown;
}

export interface CommandInput<Options> {
  readonly args: readonly (string | undefined)[];
  readonly options: Options;
  /** Words after `--`. */
  readonly rest: readonly string[];
}

export type ExitCode = number;

export interface CommandDefinition<Options = Record<string, unknown>> {
  readonly args: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  /** What stands after `--`, where the command takes it. */
  readonly rest?: string;
  /** More than the one line of the registry, for `drover help <command>` and the documentation. */
  readonly details?: string;
  readonly examples?: readonly (readonly [command: string, about: string])[];
  readonly run: (context: CliContext, input: CommandInput<Options>) => Promise<ExitCode>;
}

/** Names the options' type at the place that uses it; the parser fills in what the definitions say. */
export const defineCommand = <Options = Record<string, never>>(
  definition: CommandDefinition<Options>,
): CommandDefinition => definition as unknown as CommandDefinition;

export const JSON_OPTION: OptionDefinition = { flags: '--json', about: 'print one JSON document' };
export const NO_WAIT_OPTION: OptionDefinition = {
  flags: '--no-wait',
  about: 'return at once with the id of the operation',
};
export const APP_ARGUMENT: ArgumentDefinition = { syntax: '<app>', about: 'name of an app', offers: 'apps' };
export const TARGET_ARGUMENT: ArgumentDefinition = {
  syntax: '<target>',
  about: 'an app, a worker (`shop/2`), or `all`',
  offers: 'apps',
};
