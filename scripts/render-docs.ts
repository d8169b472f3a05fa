/**
 * The generated pages of `docs/`: errors, commands, configuration and events, from the tables that the program itself
 * runs on. `scripts/docs.ts` writes them; `test/cli/docs.test.ts` fails when they are stale.
 */
import { COMMANDS, LATER_COMMANDS } from '../src/cli/index.ts';
import { renderUsage } from '../src/cli/render/help.ts';
import { loadJsonSchema } from '../src/config/index.ts';
import { LATER_IN_APP, LATER_IN_DAEMON } from '../src/config/later.ts';
import { ERRORS, EVENT_TYPES, type EventType } from '../src/protocol/index.ts';
import { renderMetrics } from './render-metrics.ts';

/** Text by path below the root of the repository. */
export const renderDocs = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/errors.md', renderErrors()],
    ['docs/cli.md', await renderCommands()],
    ['docs/configuration.md', await renderConfiguration()],
    ['docs/events.md', renderEvents()],
    ['docs/metrics.md', renderMetrics(NOTICE)],
  ]);

const NOTICE = '<!-- Written by `npm run docs`. Do not edit. -->';
const page = (...parts: readonly string[]): string => `${[NOTICE, ...parts].join('\n\n')}\n`;
const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');
const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

const EXITS: readonly (readonly [string, string])[] = [
  ['0', 'done, and true'],
  ['1', 'the operation failed, or was aborted by the user'],
  ['2', 'wrong usage or invalid configuration'],
  ['3', 'no such app, worker, operation, …'],
  ['4', 'daemon not running or not answering'],
  ['5', 'not allowed'],
  ['6', 'timed out'],
  ['7', 'something had been changed and was put back (the old version serves)'],
  ['130', 'the analysis of a file was ended by Ctrl-C'],
];

/** Stands for a value in a message. */
const placeholders = new Proxy({}, { get: (_, name) => `‹${String(name)}›` }) as Readonly<Record<string, string>>;

const renderErrors = (): string => {
  const entries = Object.entries(ERRORS).map(([name, { http, exit, when, message, hint }]) => {
    const advice = hint === null ? null : (hint as (data: typeof placeholders) => string | null)(placeholders);
    return [
      `### ${name}`,
      `${when} Exit ${exit}, HTTP ${http}.`,
      `> ${message(placeholders)}`,
      ...(advice === null ? [] : [`Advice: ${advice}`]),
    ].join('\n\n');
  });
  return page(
    '# Errors',
    'Codes are stable; messages may change. With `--json`, and over the API, an error is `{ "error": { code, message, hint, docs, data } }`.',
    table(
      ['exit', 'meaning'],
      EXITS.map(([exit, meaning]) => row(exit, meaning)),
    ),
    ...entries,
  );
};

const renderCommands = async (): Promise<string> => {
  const visible = COMMANDS.filter(({ isHidden }) => !isHidden);
  const sections = await Promise.all(
    visible.map(async (entry) => {
      const { command } = await entry.load();
      const { args, options, examples = [], details } = command;
      const words = [
        ...args.map(({ syntax, about }) => row(code(syntax), about)),
        ...options.map(({ flags, about }) => row(code(flags), about)),
      ];
      return [
        `## drover ${entry.name}`,
        `${code(renderUsage(entry, command))}${entry.aliases === undefined ? '' : ` (also ${entry.aliases.map(code).join(', ')})`}`,
        `${entry.summary.slice(0, 1).toUpperCase()}${entry.summary.slice(1)}.${details === undefined ? '' : ` ${details}`}`,
        ...(words.length === 0 ? [] : [table(['', ''], words)]),
        ...(examples.length === 0
          ? []
          : [['```sh', ...examples.map(([text, about]) => `${text}   # ${about}`), '```'].join('\n')]),
      ].join('\n\n');
    }),
  );
  return page(
    '# Commands',
    'Commands that change something start the daemon if it is not running; queries exit 4 then. Every command that lists or shows takes `--json`. They block until the outcome is known, unless `--no-wait`.',
    table(
      ['exit', 'meaning'],
      EXITS.map(([exit, meaning]) => row(exit, meaning)),
    ),
    ...sections,
    '## Not available yet',
    `Refused with \`DROVER_NOT_AVAILABLE\` (exit 2): ${LATER_COMMANDS.map(code).join(', ')}.`,
  );
};

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

const isDuration = ({ anyOf = [] }: Schema): boolean =>
  anyOf.some(({ pattern }) => pattern?.includes('ms|s|m|h|d') ?? false);

const isSize = ({ anyOf = [] }: Schema): boolean => anyOf.some(({ pattern }) => pattern?.includes('KB|MB|GB') ?? false);

const describeType = (schema: Schema): string => {
  if (isDuration(schema)) return 'duration';
  if (isSize(schema)) return 'size';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(describeType))].join(' or ');
  if (schema.type === 'array') return `list of ${describeType(schema.items ?? {})}`;
  if (schema.type === 'object') return schema.properties === undefined ? 'object of variables' : 'group';
  if (schema.maximum !== undefined && schema.minimum !== undefined) return `${schema.minimum}–${schema.maximum}`;
  return schema.type ?? 'any';
};

const renderConfiguration = async (): Promise<string> => {
  const schema = (await loadJsonSchema()) as Schema;
  const visit = (group: Schema, path: string, rows: string[]): string[] => {
    for (const [key, value] of Object.entries(group.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`;
      const isGroup = value.properties !== undefined;
      const standard = isGroup || value.default === undefined ? '' : code(JSON.stringify(value.default));
      rows.push(row(code(at), describeType(value), standard, value.description ?? ''));
      visit(value, at, rows);
    }
    return rows;
  };
  const inApp = visit(schema.properties?.['apps']?.additionalProperties ?? {}, '', []);
  const inDaemon = visit(schema.properties?.['daemon'] ?? {}, 'daemon', []);
  const later = [...[...LATER_IN_APP].sort(), ...[...LATER_IN_DAEMON].map((key) => `daemon.${key}`)];
  return page(
    '# Configuration',
    "`drover.config.ts`, `.js`, `.mjs` or `.json`: `{ apps: { <name>: { … } } }`. Durations are `'500ms'`, `'30s'`, `'2m'`, `'1h'`, `'1d'` or milliseconds; sizes are `'64KB'`, `'100MB'`, `'2GB'` (binary) or bytes. Relative paths are relative to the file. The file runs as you, for at most 10 s, and exports plain data of at most 1 MB.",
    'A name begins with a letter or digit and has letters, digits, `.`, `_` and `-`, at most 63; `all` is no name. `drover config check` finds every problem; `drover config schema` prints the JSON Schema.',
    table(['key', 'value', 'default', 'meaning'], inApp),
    'Beside `apps`, for all of them together:',
    table(['key', 'value', 'default', 'meaning'], inDaemon),
    `Not available yet, and refused: ${later.map(code).join(', ')}.`,
  );
};

const MEANINGS: Readonly<Record<EventType, string>> = {
  'daemon-started': 'The daemon began, after a stop or for the first time.',
  'daemon-recovered': 'The daemon came back after it had died, and took over what still ran.',
  'daemon-upgrading': 'The daemon begins to become another version of Drover.',
  'daemon-upgraded': 'It serves as that version; workers went on.',
  'daemon-upgrade-failed':
    'The new version did not come up, and the one before serves again; the reason says why, and what became of the state.',
  'daemon-stopping': 'The daemon was asked to end.',
  'app-added': 'An app became known.',
  'app-changed': 'The configuration of an app changed.',
  'app-removed': 'An app was deleted.',
  'operation-started': 'A change (start, reload, scale, …) was recorded and began.',
  'operation-resumed': 'A change that a daemon had begun before it died goes on.',
  'operation-ended': 'A change ended; the data hold its outcome.',
  'worker-spawned': 'A process was started in a slot.',
  'worker-adopted': "A process from before the daemon's death was taken over.",
  'descriptors-regained':
    "A daemon that came back has an app's listening sockets and channels again; the reason tells from where, or that it has not.",
  'worker-ready': 'A worker said, or showed, that it can serve.',
  'worker-exited': 'A process ended; the reason tells how.',
  'worker-backoff': 'A restart waits, because starts failed or crashes were many.',
  'worker-draining': 'A worker stopped accepting and finishes what it has.',
  'worker-drained': 'A worker has finished what it had.',
  'worker-killed': 'A worker was ended by force after its drain timeout.',
  'worker-start-timeout': 'A worker was not ready in time.',
  'worker-hung': 'A worker does not answer any more.',
  'state-restored':
    'The file of the state was damaged or missing, and a backup took its place; the reason tells which.',
  'state-damaged': 'The last changes in the journal of the state could not be read.',
  'state-unwritable': 'The disk takes no writes: changes are refused, and what happens is kept in memory.',
  'state-written': 'The disk takes writes again, and what was kept in memory is on it.',
  'worker-stray': 'A worker of an app that is not known runs; it is left alone until its app is started again.',
  'output-lost':
    'What a worker prints goes nowhere: its files could not be made, and it was started without them, or they were removed while it writes. A reload opens new ones.',
  'worker-blocked': 'The event loop of a worker answers nothing: it is off rotation until it does.',
  'worker-unblocked': 'It answers again; the reason names what blocked, where that is known.',
  'probe-failed': 'A probe has failed so often in a row that it counts.',
  'probe-passed': 'It passes again.',
  'probe-warned':
    'An answer to a probe counts as good and is probably not what was meant, such as a redirect to another host; once for each warning.',
  'check-failed': 'A check that the app registered fails in enough workers to count.',
  'check-passed': 'It passes again.',
  'worker-ejected': 'A worker is off rotation because its answers are worse than those of its peers.',
  'worker-returned': 'It takes part again.',
  'health-changed': 'The health of an app is another one.',
  'degrade-changed': 'The app is asked to do without something, or no longer.',
  'budget-exceeded': 'A worker takes more than its budget.',
  'budget-met': 'It does not any more.',
  'worker-recovering':
    "The app's recover hook runs because its worker is unwell; or a worker is replaced because it was.",
  'worker-recycled': 'A worker is replaced before it runs out of memory.',
  'worker-quarantined': 'Replacing the workers of a slot has not helped; it is left as it is, with what is known.',
  'heal-held-back':
    'Something should be done about a worker, and is not: the reason says which limit stands against it.',
  'alert-firing': 'An alert fires.',
  'alert-resolved': 'It does not any more.',
  'metrics-left-out':
    "Something of the app's own metrics is not on the page; the reason names the metric and says why. Told once for each, at most fifty times of an app.",
  'alert-undelivered': 'An alert could not be delivered; it is kept.',
  'worker-signalled': 'Somebody sent a worker a signal by `drover signal`.',
  'crash-loop': 'A slot crashed more often than the restart limit allows; it is retried at the longest wait.',
  'crash-loop-ended': 'A slot in a crash loop is stable again.',
  'log-dropped': 'The disk of a log is full: output is dropped from now on, so that the worker can go on.',
  'log-drop-ended':
    'The log takes output again, or the worker ended; the data hold how many lines and bytes were dropped.',
  'port-opened': 'An app listens on a port, or the path of its Unix socket leads to it again.',
  'port-taken':
    'A port that an app wants is held by another process, or the path of its Unix socket leads to another socket.',
  'port-vanished':
    'A port that an app used to listen on did not come back, or the path of its Unix socket was removed for good.',
  'shard-covered': 'A sibling accepts for a worker that is gone or stalls.',
  'shard-uncovered': 'A worker accepts for itself again.',
  defect: 'Something happened that Drover did not expect; please report it.',
};

const renderEvents = (): string =>
  page(
    '# Events',
    '`drover events` and `/v1/events` give `{ seq, at, app, worker?, type, reason, data }`. The list of types is closed. `seq` grows with gaps and no number comes twice, also after a fall-back to a backup: what came after the last event that you saw is `/v1/events?afterSeq=<its seq>`.',
    '',
    'Events that belong together have one id in `data.correlation`: those of a command and of what it did to workers, those of a crash up to the next worker that is ready, those of a trouble with what the ladder did about it. See [traces](tracing.md).',
    table(
      ['type', 'meaning'],
      EVENT_TYPES.map((type) => row(code(type), MEANINGS[type])),
    ),
  );
