import { renderDiff } from '../../heap/index.ts';
import { DroverError } from '../../protocol/index.ts';
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

const parseRequests = (text: string): number => {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new DroverError('DROVER_USAGE', {
    message: `--requests ${JSON.stringify(text)}: write how many were served from one snapshot to the next, such as 1000.`,
  });
};

export const command = defineCommand<ReportOptions & { readonly strict?: boolean; readonly requests?: number }>({
  args: [
    { syntax: '<before>', about: 'a heap snapshot after a warm-up', offers: 'files' },
    { syntax: '<after>', about: 'one of the same process after some load', offers: 'files' },
    { syntax: '[last]', about: 'one after the same load again: tells growth from warm-up', offers: 'files' },
  ],
  options: [
    {
      flags: '--requests <n>',
      about: 'served from one snapshot to the next: growth is told per 1,000 of them',
      parse: parseRequests,
    },
    { flags: '--strict', about: 'exit 1 as well when there is no verdict (inconclusive)' },
    ...REPORT_OPTIONS,
  ],
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
      {
        kind: 'diff',
        files,
        wantsCharts: format === 'html',
        load: options.requests === undefined ? null : { unit: 'requests', perStep: options.requests },
        ...jobOptions(options, context),
      },
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
