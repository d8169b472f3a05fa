import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DroverClient } from '../../client/index.ts';
import { DroverError, type OperationDocument } from '../../protocol/index.ts';
import { type AppSource, BARE_OPTIONS, type BareOptions, findBareOption, readApps } from '../app-source.ts';
import { finishChange, NO_APPS, type ChangeOptions } from '../await-operations.ts';
import { type CommandInput, defineCommand, JSON_OPTION, NO_WAIT_OPTION } from '../command.ts';
import type { CliContext } from '../context.ts';
import { callerEnv, isOneApp } from '../target.ts';

type Options = BareOptions & ChangeOptions;

/** `drover start shop`: a word that is no file but the name of an app means that app. With a name it begins another one. */
const findKnown = async (
  { args: [entry], options: { name }, rest }: CommandInput<Options>,
  context: CliContext,
): Promise<DroverClient | null> => {
  if (entry === undefined || name !== undefined || rest.length > 0 || existsSync(resolve(context.directory, entry)))
    return null;
  // Only the daemon knows the apps of its records. It is not started for what was meant as a file.
  const client = /\.\w+$/.test(entry) ? await context.connect() : await context.ensure();
  try {
    const { apps } = await client.list();
    // An app, or one of its workers (`shop/2`).
    const app = entry.replace(/\/\d+$/, '');
    return entry === 'all' || apps.some(({ name }) => name === app) ? client : null;
  } catch (error) {
    if (error instanceof DroverError && error.code === 'DROVER_DAEMON_UNREACHABLE') return null;
    throw error;
  }
};

/**
 * The same with a setting (`drover start redis-server --port 6380`): as it was started first, where the word is a program,
 * so that nothing is done twice and what differs is told. A setting must not be passed over in silence.
 */
const readSettings = async (
  { args: [entry = ''], options, rest }: CommandInput<Options>,
  option: string,
  context: CliContext,
): Promise<AppSource> => {
  try {
    return await readApps(entry, rest, options, context);
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'DROVER_SCRIPT_MISSING') throw error;
    throw new DroverError(
      'DROVER_USAGE',
      {
        message: `\`${entry}\` is there already, and \`${option}\` is for what is new. Change the setting in the configuration that the app came from and \`drover apply\` it${option === '--instances' ? `, or use \`drover scale ${entry} ${options.instances}\`` : ''}.`,
        suggestion: `drover start ${entry}`,
      },
      { cause: error },
    );
  }
};

/** One that runs and would change is refused; which settings differ, and what that would do, is shown. */
const startApps = async (
  client: DroverClient,
  { file, apps }: Pick<AppSource, 'file' | 'apps'>,
  context: CliContext,
  isJson: boolean,
): Promise<readonly OperationDocument[]> => {
  try {
    return await client.start(file, apps);
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'DROVER_APP_CHANGED') throw error;
    const { changes } = await client.plan(file, apps, false);
    const changed = changes.filter(({ action }) => action === 'reload' || action === 'restart');
    if (changed.length === 0) throw error;
    if (!isJson) {
      const { renderPlan } = await import('../render/receipt.ts');
      context.note(renderPlan(changed, context));
    }
    const names = changed.map(({ app }) => app).join(', ');
    const keys = changed.flatMap((change) => change.keys).join(', ');
    throw new DroverError('DROVER_APP_CHANGED', { app: names, keys, file }, { cause: error });
  }
};

export const command = defineCommand<Options>({
  args: [
    {
      syntax: '[entry]',
      about: 'a configuration, a script, a directory with a package, a program, or an app that was stopped',
      offers: 'files',
    },
  ],
  options: [...BARE_OPTIONS, NO_WAIT_OPTION, JSON_OPTION],
  rest: 'words...',
  details:
    'Without an entry: the drover.config file of this directory. What stands after `--` goes to the script, or is the whole program. An app that runs already, unchanged, is left alone; one that would change is refused with the plan (exit 2).',
  examples: [
    ['drover start server.js --instances 4', 'four workers of a script'],
    ['drover start', 'all apps of drover.config.ts'],
    ['drover start . -- --verbose', 'the package in this directory'],
    ['drover start npm -- start', 'what `npm start` runs'],
    ['drover start -- python3 -m http.server 8000', 'any other program'],
  ],
  run: async (context, input) => {
    const { args, options, rest } = input;
    const [entry] = args;
    const known = await findKnown(input, context);
    const option = known === null ? null : findBareOption(options);
    if (known !== null && option === null) {
      const target = entry ?? '';
      const started = await known.startStopped(target, callerEnv(context));
      if (started.length === 0 && !options.json) {
        const isNone = !isOneApp(target) && (await known.list()).apps.length === 0;
        context.print(isNone ? NO_APPS : `${target}: running already.`);
      }
      return finishChange(known, started, options, context, isOneApp(target));
    }
    const { file, apps, daemon } = await (option === null
      ? readApps(entry, rest, options, context)
      : readSettings(input, option, context));
    const client = await context.ensure();
    const started = await startApps(client, { file, apps }, context, options.json === true);
    // What is refused changes nothing, and a smaller quota removes logs.
    if (daemon !== null) await client.configureDaemon(daemon);
    if (!options.json) {
      if (apps.length === 0) context.print(`${file ?? 'The command line'} lists no apps.`);
      const running = apps.filter(({ name }) => !started.some(({ app }) => app === name));
      for (const { name } of running) context.print(`${name}: running already, unchanged.`);
    }
    return finishChange(client, started, options, context, file === null);
  },
});
