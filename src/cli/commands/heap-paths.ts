import { renderPathsText } from '../../heap/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import {
  ENGINE_OPTIONS,
  type EngineOptions,
  FILE_ARGUMENT,
  jobOptions,
  parseObjectId,
  resolveFile,
  runHeap,
  textOptions,
  TOP_OPTION,
} from '../heap-run.ts';

const PATHS = 5;

export const command = defineCommand<EngineOptions & { readonly id?: number; readonly class?: string }>({
  args: [FILE_ARGUMENT],
  options: [
    { flags: '--id <n>', about: 'an object by its id, as other commands print it', parse: parseObjectId('--id') },
    { flags: '--class <name>', about: 'all objects of a class' },
    { ...TOP_OPTION, about: `paths (default ${PATHS}, all with --json)` },
    JSON_OPTION,
    ...ENGINE_OPTIONS,
  ],
  details:
    'Says why objects are alive: the shortest references that lead to them from what the program can reach. Objects that are kept in the same way are one path.',
  examples: [
    ['drover heap paths app.heapsnapshot --class Session', 'who keeps them'],
    ['drover heap paths app.heapsnapshot --id 48217', 'every way to one object'],
  ],
  run: async (context, { args: [file], options }) => {
    const { id = null, class: className = null, json = false } = options;
    if ((id === null) === (className === null))
      throw new DroverError('DROVER_USAGE', { message: 'Give --id or --class: one of them, and not both.' });
    const top = options.top ?? (json ? null : PATHS);
    const job = {
      kind: 'paths',
      file: resolveFile(file, context),
      id,
      className,
      top,
      ...jobOptions(options, context),
    } as const;
    const document = await runHeap(job, options, context);
    context.print(json ? JSON.stringify(document) : renderPathsText(document, textOptions(options, context, PATHS)));
    return 0;
  },
});
