/**
 * The part of the error catalogue (`errors.ts`) that is about diagnostic files: heap snapshots, profiles, logs. None of them
 * has exit 1, which `heap diff` and its like give for what they found.
 */
import { entry } from './catalogue.ts';

export const FILE_ERRORS = {
  DROVER_FILE_UNREADABLE: entry(
    400,
    2,
    'A diagnostic file (or folder of them) that is not there, or may not be read; or a report that cannot be written.',
    (d) => `${String(d['file'])} ${String(d['problem'])}.`,
    (d) => (d['advice'] === undefined ? 'Name a file that you may read.' : String(d['advice'])),
  ),
  DROVER_FILE_INVALID: entry(
    422,
    2,
    'A diagnostic file that is not what it should be: not of a known kind, cut off, or damaged. The message says where and how.',
    (d) => `${String(d['file'])}: ${d['where'] ? `at ${String(d['where'])}: ` : ''}${String(d['what'])}.`,
    (d) =>
      d['advice'] === undefined
        ? 'If it is the right file, take it anew: what was read of it cannot be relied on.'
        : String(d['advice']),
  ),
  DROVER_OBJECT_UNKNOWN: entry(
    404,
    3,
    'A class or an object id that a heap snapshot does not have.',
    (d) => `${String(d['file'])} has no ${String(d['what'])}.`,
    (d) =>
      d['suggestion']
        ? `Did you mean ${JSON.stringify(d['suggestion'])}? \`drover heap analyze\` lists the classes.`
        : '`drover heap analyze` lists the classes; `drover heap query --class` the ids of their objects.',
  ),
  DROVER_MEMORY_LIMIT: entry(
    507,
    2,
    'A diagnostic file that cannot be analysed within the memory limit.',
    (d) => `The memory limit of ${String(d['limit'])} is too low for this: ${String(d['what'])}.`,
    () =>
      'Raise it with `--memory-limit 8GB`, or run this on a machine with more memory (the limit is four fifths of what is free, unless told).',
  ),
  DROVER_CANCELLED: entry(
    409,
    130,
    'The analysis of a file that was ended by Ctrl-C. Nothing was written.',
    (d) => `${String(d['what'])} was cancelled.`,
    null,
  ),
} as const;
