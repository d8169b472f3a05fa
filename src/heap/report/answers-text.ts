/** Answers of `heap paths`, `heap query` and `heap strings` for a terminal; everything from a file is made printable. */
import { renderColumns } from './columns.ts';
import type { HeapObject, HeapReference, PathsDocument, QueryDocument, StringsDocument } from './documents.ts';
import { toShort, toShortPath } from './printable.ts';
import { formatBytes, formatCount } from '../quantity.ts';
import { PLAIN, renderStep, type TextOptions } from './text.ts';

const NAME_LENGTH = 60;
const SAMPLE_LENGTH = 80;

/** `heap paths`. */
export const renderPathsText = (document: PathsDocument, { paint }: TextOptions = PLAIN): string => {
  const { of, file, objects, followed, paths } = document;
  const isSample = followed < objects;
  const lines = [
    `${paint('bold', toShort(of, NAME_LENGTH))} in ${toShort(file, NAME_LENGTH)}: ${formatCount(objects)} ${objects === 1 ? 'object' : 'objects'}${isSample ? `, of which ${formatCount(followed)} were followed` : ''}`,
  ];
  if (paths.length === 0) lines.push('Nothing in the program keeps it alive: only V8 or Node does, or it is garbage.');
  for (const { objects: kept, retainedBytes, exampleId, path } of paths)
    lines.push(
      '',
      `${formatCount(kept)} ${kept === 1 ? 'object' : 'objects'}, ${formatBytes(retainedBytes)} kept; for example @${exampleId}:`,
      ...path.map((step) => `  ${renderStep(step)}  ${paint('dim', `@${step.id}`)}`),
    );
  return lines.join('\n');
};

/** `heap query`. */
export const renderQueryText = (document: QueryDocument, { paint }: TextOptions = PLAIN): string => {
  const { file, total, objects, shallowBytes, references, retainers } = document;
  const rest = total - objects.length;
  return [
    `${toShort(file, NAME_LENGTH)}: ${formatCount(total)} ${total === 1 ? 'object' : 'objects'}, ${formatBytes(shallowBytes)} of their own`,
    ...(objects.length === 0 ? [] : ['', ...renderColumns(OBJECT_COLUMNS, objects.map(objectRow))]),
    ...(rest > 0 ? [`… and ${formatCount(rest)} more (\`--top\`)`] : []),
    ...renderReferences(paint('bold', 'kept by'), retainers),
    ...renderReferences(paint('bold', 'refers to'), references),
  ].join('\n');
};

const OBJECT_COLUMNS = [
  { head: 'id' },
  { head: 'kept', isNumber: true },
  { head: 'own size', isNumber: true },
  { head: 'distance', isNumber: true },
  { head: 'class' },
  { head: 'value or place' },
];

const objectRow = ({ id, className, shallowBytes, retainedBytes, distance, value, location }: HeapObject): string[] => [
  `@${id}`,
  formatBytes(retainedBytes),
  formatBytes(shallowBytes),
  distance === null ? '–' : String(distance),
  toShort(className, NAME_LENGTH),
  value === undefined ? toShortPath(location ?? '', NAME_LENGTH) : toShort(JSON.stringify(value), NAME_LENGTH),
];

const renderReferences = (head: string, references: readonly HeapReference[] | undefined): string[] => {
  if (references === undefined) return [];
  if (references.length === 0) return ['', `${head}: nothing`];
  const rows = references.map(({ edge, retains, object }) => [
    toShort(edge, NAME_LENGTH),
    retains ? '' : 'keeps nothing',
    ...objectRow(object),
  ]);
  return ['', `${head}:`, ...renderColumns([{ head: 'reference' }, { head: '' }, ...OBJECT_COLUMNS], rows)];
};

/** `heap strings`. */
export const renderStringsText = (document: StringsDocument, { paint }: TextOptions = PLAIN): string => {
  const { file, strings, bytes, wastedBytes, duplicates } = document;
  const rows = duplicates.map(({ count, wastedBytes: wasted, length, sample, ids }) => [
    formatBytes(wasted),
    formatCount(count),
    formatCount(length),
    toShort(JSON.stringify(sample), SAMPLE_LENGTH),
    `@${ids[0] ?? 0}`,
  ]);
  return [
    `${paint('bold', toShort(file, NAME_LENGTH))}: ${formatCount(strings)} strings, ${formatBytes(bytes)}; duplicates waste ${formatBytes(wastedBytes)}`,
    ...(rows.length === 0
      ? []
      : [
          '',
          ...renderColumns(
            [
              { head: 'wasted', isNumber: true },
              { head: 'copies', isNumber: true },
              { head: 'characters', isNumber: true },
              { head: 'text' },
              { head: 'one of them' },
            ],
            rows,
          ),
        ]),
  ].join('\n');
};
