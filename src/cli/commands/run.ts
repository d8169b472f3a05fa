import { DroverError } from '../../protocol/index.ts';
import { BARE_OPTIONS, type BareOptions, readApps } from '../app-source.ts';
import { defineCommand } from '../command.ts';
import { loadForeground } from '../foreground.ts';

/** Docker's and env's code for "the wrapper itself failed", as opposed to what it ran. */
const OWN_FAILURE = 125;

export const command = defineCommand<BareOptions & { watch?: boolean }>({
  args: [{ syntax: '[entry]', about: 'a configuration, a script, a directory or a program', offers: 'files' }],
  options: [...BARE_OPTIONS, { flags: '--watch', about: 'reload when files change' }],
  rest: 'words...',
  details:
    'For containers and development: no daemon, no state on disk. One app inherits stdout, several are prefixed. Ends when every app has finished or crash-loops, with the last code (128+n for a signal, 125 for a failure of Drover itself).',
  examples: [['drover run server.js', 'as the command of a container']],
  run: async (context, { args: [entry], options, rest }) => {
    const { watch = false, ...bare } = options;
    const { file, apps, daemon } = await readApps(entry, rest, bare, context);
    // It ends when every app has; without any it would wait for ever.
    if (apps.length === 0)
      throw new DroverError('DROVER_USAGE', { message: `${file ?? 'The command line'} lists no apps.` });
    try {
      const { runForeground } = await loadForeground();
      return await runForeground({ apps, daemon, watch, directory: context.directory });
    } catch (error) {
      if (error instanceof DroverError) throw error;
      context.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return OWN_FAILURE;
    }
  },
});
