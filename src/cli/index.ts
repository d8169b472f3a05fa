/** The door of `cli/`, for tests and the documentation; `main.ts` is what runs. */
export { runCli } from './cli.ts';
export type { CommandDefinition } from './command.ts';
export type { CliContext } from './context.ts';
export { COMMANDS, LATER_COMMANDS } from './registry.ts';
