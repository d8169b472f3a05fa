/**
 * Problems of a configuration in words: where, what the value is, what is allowed, and what was probably meant.
 * Walks the schema itself for unknown keys, because the validator stops at the first one of an object, and for lists
 * in the place of objects, because to the validator a list is an object too.
 */
import type * as v from 'valibot';
import type { ConfigProblem } from '../protocol/index.ts';
import { findDurationMs, findSizeBytes } from './quantity.ts';
import { splitWords } from './simple-command.ts';
import { findNearest } from './suggest.ts';

type Path = readonly (string | number)[];

/** `apps.shop.args[1]`; keys that are no plain words are quoted. */
export const formatPath = (path: Path): string => {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w$-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
};

/** What users of other tools write, and what it is called here. */
const ALIASES: Readonly<Record<string, string>> = {
  autorestart: 'restart.policy',
  entry: 'script',
  environment: 'env',
  exec: 'script',
  interpreter: 'command',
  interpreter_args: 'nodeArgs',
  kill_timeout: 'drain.timeout',
  killTimeout: 'drain.timeout',
  listen_timeout: 'ready.timeout',
  main: 'script',
  max_restarts: 'restart.crashLoop.restarts',
  maxRestarts: 'restart.crashLoop.restarts',
  processes: 'instances',
  replicas: 'instances',
  restart_delay: 'restart.backoff.initial',
  uid: 'user',
  wait_ready: 'ready.signal',
  workers: 'instances',
};

interface ObjectLike {
  readonly type: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly wrapped?: unknown;
  readonly message?: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unwrap = (schema: unknown): ObjectLike => {
  const like = schema as ObjectLike;
  return like.wrapped === undefined ? like : unwrap(like.wrapped);
};

/** Lists for objects, and every key at any depth that the schema does not have. `isLater` names the ones to come. */
export const findShapeProblems = (
  schema: unknown,
  value: unknown,
  path: Path,
  isLater: (path: Path) => boolean,
): ConfigProblem[] => {
  const { entries, type, message } = unwrap(schema);
  if (Array.isArray(value) && (entries !== undefined || type === 'record'))
    return [{ path: formatPath(path), value, message: String(message), suggestion: null }];
  if (entries === undefined || !isObject(value)) return [];
  return Object.keys(value).flatMap((key): ConfigProblem[] => {
    const at = [...path, key];
    if (isLater(at)) return [laterProblem(at, value[key])];
    if (Object.hasOwn(entries, key)) return findShapeProblems(entries[key], value[key], at, isLater);
    const alias = Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
    const allowed = Object.keys(entries);
    return [
      {
        path: formatPath(at),
        value: value[key] ?? null,
        message: `is not a setting; allowed here: ${allowed.length > 0 ? allowed.join(', ') : 'none'}`,
        suggestion: findNearest(key, allowed) ?? alias ?? null,
      },
    ];
  });
};

const LATER = 'is not available in this version of Drover';
const laterProblem = (path: Path, value: unknown): ConfigProblem => ({
  path: formatPath(path),
  value: value ?? null,
  message: LATER,
  suggestion: null,
});

/** True for a key that is documented and not built yet. */
export const isLaterProblem = (problem: ConfigProblem): boolean => problem.message === LATER;

/** How a message begins where there is no value to show. */
const MISSING = 'is missing';

/** What the validator found, without unknown keys. */
export const toProblems = (issues: readonly v.BaseIssue<unknown>[], path: Path): ConfigProblem[] => {
  const problems = issues
    .filter((issue) => !(issue.type === 'strict_object' && issue.expected === 'never'))
    .map((issue) => {
      const at = [...path, ...(issue.path ?? []).map(({ key }) => key as string | number)];
      return {
        path: formatPath(at),
        value: issue.input ?? null,
        message: issue.input === undefined ? wordsForMissing(issue) : issue.message,
        suggestion: suggestValue(issue),
      };
    });
  // A value may break two rules that are told in one sentence.
  const known = new Set<string>();
  return problems.filter((problem) => {
    const key = `${problem.path}: ${problem.message}`;
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
};

/** Of a key that must be there the group around it knows only that it is not. */
const wordsForMissing = ({ type, message }: v.BaseIssue<unknown>): string =>
  type === 'strict_object' ? MISSING : missingWords(message);

/** Of a key that must be there, by what is allowed. */
export const missingWords = (allowed: string): string => `${MISSING}; it ${allowed}`;

const BOOLEANS: ReadonlyMap<string, string> = new Map([
  ['true', 'true'],
  ['yes', 'true'],
  ['false', 'false'],
  ['no', 'false'],
]);

/** The value that was probably meant: the right spelling, or the same value in the right type. */
const suggestValue = ({ input, expected, message, path }: v.BaseIssue<unknown>): string | null => {
  const wanted = expected ?? '';
  if (Array.isArray(input) || isObject(input)) return null;
  const words = [...wanted.matchAll(/"([^"]+)"/g)].map(([, word]) => String(word));
  if (typeof input === 'string') {
    // A list of numbers is no help to who wrote a word.
    const isNumeric = /number|integer/i.test(`${wanted} ${message}`);
    const near = findNearest(input, words);
    if (near !== null) return `'${near}'`;
    if (message.includes('duration')) return suggestDuration(input);
    if (isNumeric) return isWithin(input, message) ? input : null;
    if (wanted.includes('boolean')) return BOOLEANS.get(input) ?? null;
    if (wanted.includes('Array')) return suggestList(input, path?.at(-1)?.key, message);
  }
  if (typeof input === 'number' && wanted.includes('string')) return `'${input}'`;
  return null;
};

/** What stands in these goes to a program, word by word. */
const OF_A_PROGRAM: ReadonlySet<unknown> = new Set(['command', 'args', 'nodeArgs']);

/** The list that a text stands for: its words, by the quotes of a shell where a program gets them. */
const suggestList = (text: string, key: unknown, allowed: string): string | null => {
  // No word is one of these.
  if (/list of (objectives|receivers)/.test(allowed)) return null;
  const needsShell = key === 'command' ? ['sh', '-c', text] : null;
  const words = OF_A_PROGRAM.has(key) ? (splitWords(text) ?? needsShell) : text.split(/[\s,]+/).filter(Boolean);
  if (words === null || words.length === 0) return null;
  return `[${words.map((word) => (/['\\\p{Cc}]/u.test(word) ? JSON.stringify(word) : `'${word}'`)).join(', ')}]`;
};

/** Whether a text is a number, and one that the sentence about what is allowed does not rule out. */
const isWithin = (input: string, allowed: string): boolean => {
  if (!/^\d+(\.\d+)?$/.test(input)) return false;
  const number = Number(input);
  if (!Number.isInteger(number) && !allowed.startsWith('must be a number')) return false;
  const [, least] = /of at least (\w+)/.exec(allowed) ?? [];
  if (least !== undefined) return number >= (findSizeBytes(least) ?? 0);
  const ranges = [...allowed.matchAll(/(\d+)(?:–| to )(\d+)/g)];
  return ranges.length === 0 || ranges.some(([, from, to]) => number >= Number(from) && number <= Number(to));
};

const suggestDuration = (input: string): string | null => {
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(input) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const short = /^(ms|msecs?|milli)/i.test(unit) ? 'ms' : unit.slice(0, 1).toLowerCase();
  const meant = `${amount}${short}`;
  return findDurationMs(meant) === undefined ? null : `'${meant}'`;
};

/** One problem in a line. */
export const formatProblem = ({ path, value, message, suggestion }: ConfigProblem): string => {
  const shown = JSON.stringify(value) ?? 'undefined';
  const short = shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
  const it = message.startsWith(MISSING) ? '' : `; it is ${short}`;
  const hint = suggestion === null ? '' : ` (did you mean ${suggestion}?)`;
  return `${path === '' ? 'the configuration' : path} ${message}${it}${hint}`;
};
