import { renderAnalyze } from '../../heap/index.ts';
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

const ROWS = 15;

export const command = defineCommand<ReportOptions>({
  args: [
    {
      syntax: '<file>',
      about: 'a .heapsnapshot, .heaptimeline or .heapprofile, plain, gzip or zstd; told apart by what is in it',
      offers: 'files',
    },
  ],
  options: REPORT_OPTIONS,
  details:
    'Says what keeps the most memory, by class and by holder; with an allocation timeline or a sampling profile also which functions allocated it. Needs no daemon. One snapshot cannot show growth: `heap diff` does.',
  examples: [
    ['drover heap analyze app.heapsnapshot', 'what is in it'],
    ['drover heap analyze app.heapsnapshot -o report.html', 'to look around in'],
    ['drover heap analyze app.heapsnapshot --redact -o report.md', 'for an issue that others read'],
  ],
  run: async (context, { args: [file], options }) => {
    const format = getFormat(options);
    const { document, charts } = await runHeap(
      {
        kind: 'analyze',
        file: resolveFile(file, context),
        wantsCharts: format === 'html',
        ...jobOptions(options, context),
      },
      options,
      context,
    );
    await deliver(renderAnalyze(document, charts, format, textOptions(options, context, ROWS)), options, context);
    return 0;
  },
});
