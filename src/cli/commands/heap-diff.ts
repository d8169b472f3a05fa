import { renderDiff } from '../../heap/index.ts';
import { defineCommand } from '../command.ts';
import {
  deliver,
  getFormat,
  jobOptions,
  REPORT_OPTIONS,
  type ReportOptions,
  resolveFile,
  runHeap,
  textOptions,
} from '../heap-run.ts';

const ROWS = 10;

export const command = defineCommand<ReportOptions & { readonly strict?: boolean }>({
  args: [
    { syntax: '<before>', about: 'a heap snapshot after a warm-up', offers: 'files' },
    { syntax: '<after>', about: 'one of the same process after some load', offers: 'files' },
    { syntax: '[last]', about: 'one after the same load again: tells growth from warm-up', offers: 'files' },
  ],
  options: [...REPORT_OPTIONS, { flags: '--strict', about: 'exit 1 as well when there is no verdict (inconclusive)' }],
  details:
    'Says whether the process leaks, who holds what leaks, and what to do. Exit 1 on a leak, for CI; 0 when there is none, and also, with a note on stderr, when the snapshots cannot tell (inconclusive; `--strict` makes that 1); 2 when a file cannot be read.',
  examples: [
    ['drover heap diff a.heapsnapshot b.heapsnapshot c.heapsnapshot', 'the verdict'],
    ['drover heap diff a.heapsnapshot b.heapsnapshot c.heapsnapshot -o leak.html', 'with all that is known'],
  ],
  run: async (context, { args, options }) => {
    const format = getFormat(options);
    const files = args.filter((file) => file !== undefined).map((file) => resolveFile(file, context));
    const { document, charts } = await runHeap(
      { kind: 'diff', files, wantsCharts: format === 'html', ...jobOptions(options, context) },
      options,
      context,
    );
    await deliver(renderDiff(document, charts, format, textOptions(options, context, ROWS)), options, context);
    if (document.verdict === 'leak') return 1;
    if (document.verdict === 'no-leak') return 0;
    context.note(`Inconclusive: ${document.reasons.at(-1) ?? document.headline}`);
    return options.strict ? 1 : 0;
  },
});
