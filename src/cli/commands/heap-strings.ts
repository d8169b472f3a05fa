import { renderStringsText } from '../../heap/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import {
  ENGINE_OPTIONS,
  type EngineOptions,
  FILE_ARGUMENT,
  jobOptions,
  resolveFile,
  runHeap,
  textOptions,
  TOP_OPTION,
} from '../heap-run.ts';

const ROWS = 20;
const JSON_ROWS = 1_000;

export const command = defineCommand<EngineOptions>({
  args: [FILE_ARGUMENT],
  options: [
    { ...TOP_OPTION, about: `texts, the most wasteful first (default ${ROWS}, ${JSON_ROWS} with --json)` },
    JSON_OPTION,
    ...ENGINE_OPTIONS,
  ],
  details:
    'Finds texts that are in memory several times, and what one copy would save. Texts are cut and control characters shown as escapes; --redact shows lengths alone.',
  run: async (context, { args: [file], options }) => {
    const { json = false } = options;
    const top = options.top ?? (json ? JSON_ROWS : ROWS);
    const job = { kind: 'strings', file: resolveFile(file, context), top, ...jobOptions(options, context) } as const;
    const document = await runHeap(job, options, context);
    context.print(json ? JSON.stringify(document) : renderStringsText(document, textOptions(options, context, ROWS)));
    return 0;
  },
});
