import { renderQueryText } from '../../heap/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import {
  ENGINE_OPTIONS,
  type EngineOptions,
  FILE_ARGUMENT,
  jobOptions,
  parseObjectId,
  parseSize,
  resolveFile,
  runHeap,
  textOptions,
  TOP_OPTION,
} from '../heap-run.ts';

const ROWS = 20;
const JSON_ROWS = 1_000;

interface Options extends EngineOptions {
  readonly id?: number;
  readonly class?: string;
  readonly minSize?: number;
  readonly retainedBy?: number;
}

export const command = defineCommand<Options>({
  args: [FILE_ARGUMENT],
  options: [
    { flags: '--class <name>', about: 'objects of this class' },
    {
      flags: '--id <n>',
      about: 'one object, with what it refers to and what keeps it',
      parse: parseObjectId('--id'),
    },
    {
      flags: '--min-size <size>',
      about: 'objects that keep at least so much alive, themselves included: 1MB',
      parse: parseSize('--min-size'),
    },
    {
      flags: '--retained-by <id>',
      about: 'objects that would be free without that one',
      parse: parseObjectId('--retained-by'),
    },
    { ...TOP_OPTION, about: `objects, the largest first (default ${ROWS}, ${JSON_ROWS} with --json)` },
    JSON_OPTION,
    ...ENGINE_OPTIONS,
  ],
  details:
    'Conditions are joined by "and". Ids are those of V8: an object has the same one in every snapshot of a process.',
  examples: [
    ['drover heap query app.heapsnapshot --class Session --min-size 1MB', 'large sessions'],
    ['drover heap query app.heapsnapshot --id 48217', 'one object and its surroundings'],
  ],
  run: async (context, { args: [file], options }) => {
    const { id = null, class: className = null, minSize = 0, retainedBy = null, json = false } = options;
    if (id === null && className === null && retainedBy === null && options.minSize === undefined)
      throw new DroverError('DROVER_USAGE', { message: 'Give --class, --id, --min-size or --retained-by.' });
    if (id !== null && (className !== null || retainedBy !== null || options.minSize !== undefined))
      throw new DroverError('DROVER_USAGE', { message: '--id names one object, so it takes no other condition.' });
    const top = options.top ?? (json ? JSON_ROWS : ROWS);
    const wish = { id, className, minBytes: minSize, retainedBy, top };
    const job = { kind: 'query', file: resolveFile(file, context), ...wish, ...jobOptions(options, context) } as const;
    const document = await runHeap(job, options, context);
    context.print(json ? JSON.stringify(document) : renderQueryText(document, textOptions(options, context, ROWS)));
    return 0;
  },
});
