/** `docs/metrics.md`, from the catalogue that the pages of metrics are written from and the figures that are kept. */
import {
  APP_METRICS,
  DAEMON_METRICS,
  EXTRA_METRICS,
  PROM_CLIENT_NAMES,
  WORKER_METRICS,
} from '../src/metrics/exposition/catalogue.ts';
import { COLUMN_NAMES, COLUMNS } from '../src/metrics/series/columns.ts';
import { PROBLEM_KINDS, type ProblemKind } from '../src/metrics/exposition/problems.ts';

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
const code = (text: string): string => `\`${text}\``;
const labelsOf = (labels: readonly string[]): string => labels.map(code).join(', ');

const unitOf = (name: string): string =>
  /_seconds(_total)?$/.test(name) ? 'seconds' : /_bytes(_total)?$/.test(name) ? 'bytes' : '';

const INTRODUCTION = `# Metrics

\`GET /metrics\`, on the daemon's socket and, where \`daemon.health\` is configured, over plain HTTP, is text for Prometheus: version
0.0.4, and OpenMetrics 1.0 for whom prefers that (\`Accept\`). Rules for recording and alerting are in
\`docs/prometheus/drover.rules.yml\`.

## Three pages

| page | process, Node and requests | routes | the app's own metrics |
| --- | --- | --- | --- |
| \`/metrics\` | for each worker (\`app\`, \`worker\`) | for each app (\`app\`) | for each app |
| \`/metrics?scope=app\` | for each app | for each app | for each app |
| \`/metrics?scope=worker\` | for each worker | for each app | for each worker |

Names are the same on all of them, and no page has the same thing twice: \`sum()\` over a page is right whichever it is. Scrape one page
per target; who scrapes two gives them different jobs. Names of their own for sums would have needed new boards, and boards that
sum over workers work as they are.

\`?app=shop\` gives one app alone. Its own metrics have no label \`app\` there: names and labels are exactly those that it gave them.

Counters of an app never fall when a worker is replaced: what an ended worker had counted, up to the last time it was asked, stays
in the sum. They begin anew, at what the running workers have counted, when the daemon does. Of a worker that does not answer
(its loop is blocked) the page shows what it said last.

## The app's own metrics

What the app has in prom-client's default registry (\`metrics.app\`) is shown as it is, put together over the workers by each
metric's \`aggregator\`, as prom-client does in a cluster:

- counters and histograms are added up; histograms bucket by bucket, exactly, where all workers have the same buckets. Where they do
  not (a release changes them), each worker's is shown, with a label \`worker\`;
- gauges by \`sum\` (where nothing is said), \`first\`, \`min\`, \`max\` or \`average\`; \`omit\` leaves them out;
- summaries are shown for each worker: a sum of quantiles is no quantile.

Names of prom-client's default metrics are Drover's own here. A label of the app that has the name of one of ours is called
\`exported_app\` or \`exported_worker\`. In OpenMetrics a counter whose name does not end in \`_total\` has the type \`unknown\`, so that
it keeps its name. At most 10,000 series of an app are shown, and of all its workers together 50,000 values are kept, an equal
part of each. What is not is counted by \`drover_metrics_left_out\`:`;

const REASONS: Readonly<Record<ProblemKind, string>> = {
  'bad-name': 'not a name or a type that Prometheus takes, or there twice in one worker',
  'bad-label': 'a label with a name that Prometheus does not take, or more than 64 of them',
  'bad-value': 'a counter that is no number or below zero; a histogram that falls, or has bounds that are no numbers',
  clash: 'a name of Drover’s own, or of another metric (`x_count` beside a histogram `x`): the first stays',
  'type-conflict': 'another worker, or another app on the same page, has it as another type: the first stays',
  'different-buckets': 'nothing is left out: it is shown for each worker',
  'too-many': 'beyond the limit of the app; those that came first stay',
  'agent-limit':
    'left out in the worker already: more than 10,000 series or about 960 KiB of one worker, or nothing that is a series',
  'not-told':
    'the app’s own code threw, did not answer within a second, or holds the event loop so long that it is asked less often',
};

const FOLDS = { sum: 'added up', mean: 'mean', max: 'greatest' };

const SERIES = `## What is kept

In \`metrics.db\` in the home: seconds for an hour, tens of seconds for two days, five minutes for \`daemon.metrics.keep\`; of each worker and
of each app. Beyond \`daemon.metrics.quota\` the oldest go. Written every ten seconds; what a killed daemon loses is of the last
ten seconds, what a power cut takes is of the last minutes. A full disk makes them wait, then be forgotten; a damaged file is set
aside as \`metrics.db.damaged\`, and a new one is begun. Neither stops anything else.

Counters are kept as what was added and read as rates per second. Latency is kept as a histogram (sixteen buckets an octave), read as
\`p50Ms\`, \`p95Ms\`, \`p99Ms\`; \`errorRatio\` and \`requestRate\` are made of the others.`;

const OTLP = `## OTLP

With \`daemon.otlp\` metrics are pushed every \`interval\` over OTLP/HTTP (protobuf) to \`<endpoint>/v1/metrics\`, and events as logs to
\`<endpoint>/v1/logs\`. Each worker is a resource: \`service.name\` is the app, \`service.instance.id\` the worker, with
\`service.version\`, \`host.name\`, \`process.pid\`, \`process.runtime.name\` and \`process.runtime.version\`. Names are those of the semantic
conventions: \`process.cpu.time\`, \`process.memory.usage\`, \`process.memory.virtual\`, \`process.unix.file_descriptor.count\`,
\`process.uptime\`, \`nodejs.eventloop.delay.{min,max,mean,stddev,p50,p90,p99}\`, \`nodejs.eventloop.utilization\`,
\`nodejs.eventloop.time\`, \`v8js.gc.duration\`, \`v8js.memory.heap.used\`, \`v8js.memory.heap.space.{size,available_size,physical_size}\`,
\`v8js.resource.active\`, \`http.server.active_requests\`, \`http.server.request.duration\` (with \`http.request.method\` and \`http.route\`),
and \`drover.responses\`. The app's own metrics (\`metrics.app\`) come beside them in a scope \`drover.app\`, under the names and labels
that the app gave them; prom-client's default metrics are left out, as those above say the same, and a summary comes as a gauge with
\`quantile\` and the sums \`…_count\` and \`…_sum\`. An app that pushes its metrics by an exporter of its own sets \`metrics.app\` to
\`false\`, if they are in a prom-client as well. An event is a log record named \`drover.<type>\`, its reason the body,
with the id of what it [belongs to](tracing.md) as its trace id. Failed pushes are tried again for ten seconds, then given up; counters are
cumulative, so the next push has it all.`;

export const renderMetrics = (notice: string): string => {
  const workerRows = (isDefault: boolean): string[] =>
    WORKER_METRICS.filter(({ name }) => PROM_CLIENT_NAMES.has(name) === isDefault).map(
      ({ name, type, help, aggregator, labels }) =>
        row(code(name), type, unitOf(name), labelsOf(labels), aggregator === 'omit' ? 'left out' : aggregator, help),
    );
  const otherRows = (metrics: typeof APP_METRICS | typeof DAEMON_METRICS | typeof EXTRA_METRICS): string[] =>
    Object.entries(metrics).map(([name, { type, help, labels }]) =>
      row(code(name), type, unitOf(name), labelsOf(labels), help),
    );
  const head = ['name', 'type', 'unit', 'labels', 'of an app', 'meaning'];
  return `${[
    notice,
    INTRODUCTION,
    table(
      ['reason', 'meaning'],
      PROBLEM_KINDS.map((kind) => row(code(kind), REASONS[kind])),
    ),
    '## Process and Node',
    'Names, meanings and aggregators of prom-client 15. Types of handles and requests are those of `process.getActiveResourcesInfo()`; `nodejs_eventloop_lag_seconds` is the mean of the measured delays. Gauges that end in `_total` are `untyped`, which only linters see.',
    table(head, workerRows(true)),
    '## Workers',
    'Status codes are told by class: `2xx` fits patterns such as `2..`. Latency is measured to about 3 % and put into the buckets that OpenTelemetry advises; what lies across a boundary counts above it.',
    table(head, workerRows(false)),
    '## Apps',
    'Also labelled `app`. Routes are as the framework has them; beyond `metrics.routes` they are counted as `other`.',
    table(['name', 'type', 'unit', 'labels', 'meaning'], otherRows(APP_METRICS)),
    '## Objectives and alerts',
    'Of apps with [objectives](health.md#objectives); an alert of the daemon itself has no label `app`.',
    table(['name', 'type', 'unit', 'labels', 'meaning'], otherRows(EXTRA_METRICS)),
    '## The daemon',
    table(['name', 'type', 'unit', 'labels', 'meaning'], otherRows(DAEMON_METRICS)),
    SERIES,
    table(
      ['figure', 'kind', 'in time', 'over workers'],
      COLUMN_NAMES.map((name) => {
        const { kind, inTime, overWorkers } = COLUMNS[name];
        return row(code(name), kind, FOLDS[inTime], FOLDS[overWorkers]);
      }),
    ),
    OTLP,
  ].join('\n\n')}\n`;
};
