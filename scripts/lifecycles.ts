/**
 * Writes the golden tables of the state machines: `docs/internals/*-lifecycle.md`. What is printed is the table that
 * runs; a test fails when the files are stale. `node scripts/lifecycles.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { ADOPTION_TABLE } from '../src/core/adoption.ts';
import { APP_STATUS_RULES, WORKER_STATUS } from '../src/core/app-status.ts';
import { OPERATION_TABLE } from '../src/core/operation.ts';
import { PROBE_TABLE } from '../src/core/probe.ts';
import { WORKER_TABLE } from '../src/core/worker.ts';

type Table = Readonly<Record<string, Readonly<Record<string, (...args: never[]) => unknown>>>>;

interface Lifecycle {
  readonly path: string;
  readonly text: string;
}

/** Few columns at a time, so that the table can be read; `·` is `ignore`, `–` is `unexpected`. */
const COLUMNS_AT_A_TIME = 7;

const wordFor = (name: string): string => (name === 'ignore' ? '·' : name === 'unexpected' ? '–' : `\`${name}\``);

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const printTable = (table: Table): string => {
  const phases = Object.entries(table);
  const columns = Object.keys(phases[0]?.[1] ?? {});
  const parts: string[] = [];
  for (let first = 0; first < columns.length; first += COLUMNS_AT_A_TIME) {
    const some = columns.slice(first, first + COLUMNS_AT_A_TIME);
    const lines = [row(['phase', ...some]), row(['---', ...some.map(() => '---')])];
    for (const [phase, cells] of phases) {
      lines.push(row([`**${phase}**`, ...some.map((column) => wordFor(cells[column]?.name ?? ''))]));
    }
    parts.push(lines.join('\n'));
  }
  return parts.join('\n\n');
};

const LEGEND =
  '`·` is `ignore`: known to happen, nothing to do. `–` is `unexpected`: reported as a defect, and nothing changes.';

const page = (title: string, source: string, table: Table, more: readonly string[] = []): string =>
  [
    `# ${title}`,
    `Printed from \`${source}\` by \`node scripts/lifecycles.ts\`; do not edit. A row is a phase, a column an event, a cell the name of a transition.`,
    LEGEND,
    printTable(table),
    ...more,
  ].join('\n\n') + '\n';

const workerStatus = [
  '## What people read',
  'The `status` of a worker, from its phase:',
  [
    row(['phase', 'status']),
    row(['---', '---']),
    ...Object.entries(WORKER_STATUS).map(([phase, status]) => row([phase, `\`${status}\``])),
  ].join('\n'),
  'The `status` of an app: the first rule that holds.',
  [
    row(['when', 'status']),
    row(['---', '---']),
    ...APP_STATUS_RULES.map(({ when, status }) => row([when, `\`${status}\``])),
  ].join('\n'),
];

/** The pages as they should be, by path from the root of the repository. */
export const lifecycles = (): readonly Lifecycle[] => [
  {
    path: 'docs/internals/worker-lifecycle.md',
    text: page('The life of a worker', 'src/core/worker.ts', WORKER_TABLE, workerStatus),
  },
  {
    path: 'docs/internals/operation-lifecycle.md',
    text: page('The course of an operation', 'src/core/operation.ts', OPERATION_TABLE),
  },
  {
    path: 'docs/internals/adoption-lifecycle.md',
    text: page('The adoption of a worker', 'src/core/adoption.ts', ADOPTION_TABLE),
  },
  {
    path: 'docs/internals/probe-lifecycle.md',
    text: page('The life of a probe', 'src/core/probe.ts', PROBE_TABLE),
  },
];

if (import.meta.main) {
  for (const { path, text } of lifecycles()) await writeFile(new URL(`../${path}`, import.meta.url), text);
}
