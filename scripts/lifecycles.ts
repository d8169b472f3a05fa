/**
 * Writes the golden tables of the state machines: `docs/internals/*-lifecycle.md`. What is printed is the table that
 * runs; a test fails when the files are stale. `node scripts/lifecycles.ts`.
 */
import { writeFile } from 'node:fs/promises';
import { ADOPTION_TABLE } from '../src/core/adoption.ts';
import { APP_STATUS_RULES, WORKER_STATUS } from '../src/core/app-status.ts';
import { DEGRADE_RULES } from '../src/core/degrade.ts';
import { HEAL_LIMITS } from '../src/core/heal-limits.ts';
import { HEALING_TABLE } from '../src/core/healing.ts';
import { APP_HEALTH_RULES } from '../src/core/app-health.ts';
import { WORKER_HEALTH_RULES } from '../src/core/worker-health.ts';
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

const healthRules = [
  '## What is wrong',
  'The health of a worker: the first rule that holds decides its status; what the others hold against it counts all the same.',
  [
    row(['when', 'status', 'holds against']),
    row(['---', '---', '---']),
    ...WORKER_HEALTH_RULES.map(({ when, status, holdsAgainst }) => row([when, `\`${status}\``, holdsAgainst])),
  ].join('\n'),
  'The health of an app: the first rule that holds; `healthy` when none does.',
  [
    row(['when', 'status']),
    row(['---', '---']),
    ...APP_HEALTH_RULES.map(({ when, status }) => row([when, `\`${status}\``])),
  ].join('\n'),
  'What the app is to do without: the first rule that holds; `normal` when none does.',
  [
    row(['when', 'level']),
    row(['---', '---']),
    ...DEGRADE_RULES.map(({ when, level }) => row([when, `\`${level}\``])),
  ].join('\n'),
];

const healLimits = [
  '## What forbids to act',
  'The first rule that holds is the reason. What is told is the event `heal-held-back`; the others are short waits.',
  [
    row(['when', 'told']),
    row(['---', '---']),
    ...HEAL_LIMITS.map(({ when, isTold }) => row([when, isTold ? 'yes' : 'no'])),
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
    path: 'docs/internals/healing-lifecycle.md',
    text: page('The self-healing ladder of a slot', 'src/core/healing.ts', HEALING_TABLE, [
      ...healLimits,
      ...healthRules,
    ]),
  },
  {
    path: 'docs/internals/probe-lifecycle.md',
    text: page('The life of a probe', 'src/core/probe.ts', PROBE_TABLE),
  },
];

if (import.meta.main) {
  for (const { path, text } of lifecycles()) await writeFile(new URL(`../${path}`, import.meta.url), text);
}
