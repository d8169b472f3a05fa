/**
 * A strict parser of what a scrape gives, in both formats, written from their specifications and not from our writer: it
 * throws where a page is ambiguous (a family or a series twice, series of a family apart), incomplete (no type, no `# EOF`)
 * or inconsistent (buckets that fall, a count that is not that of `+Inf`, a counter below zero).
 */
import assert from 'node:assert/strict';

export interface ParsedSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: ParsedSeries[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LINE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`, 's');
const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/sy;

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  untyped: [''],
  unknown: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

export function parsePage(body: string, format: 'text' | 'openmetrics'): Map<string, ParsedFamily> {
  const isOpen = format === 'openmetrics';
  if (body === '') return new Map();
  assert.ok(body.endsWith(isOpen ? '# EOF\n' : '\n'), 'the end of the page');
  const lines = body.slice(0, -1).split('\n');
  if (isOpen) lines.pop();
  const families = new Map<string, ParsedFamily>();
  const seriesKeys = new Set<string>();
  const sampleOwner = new Map<string, string>();
  const last: { help: { name: string; text: string } | null; family: ParsedFamily | null } = {
    help: null,
    family: null,
  };
  for (const line of lines) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE|UNIT) (\S+) ?(.*)$/s.exec(line) ?? [];
    if (word === 'HELP') last.help = { name, text: rest };
    else if (word === 'TYPE') {
      assert.equal(last.help?.name, name, 'help comes before the type');
      assert.ok(!families.has(name), `${name} is there once`);
      assert.ok(SUFFIXES[rest] !== undefined && rest !== (isOpen ? 'untyped' : 'unknown'), `type ${rest}`);
      last.family = { name, type: rest, help: last.help?.text ?? '', series: [] };
      families.set(name, last.family);
    } else if (word === 'UNIT') assert.ok(isOpen && name.endsWith(`_${rest}`), `unit ${rest} of ${name}`);
    else {
      assert.ok(!line.startsWith('#'), `no other comment: ${line}`);
      const series = parseSeries(line);
      const { family } = last;
      assert.ok(family !== null);
      const suffixes = isOpen && family.type === 'counter' ? ['_total'] : (SUFFIXES[family.type] ?? []);
      assert.ok(
        suffixes.some((suffix) => series.name === `${family.name}${suffix}`),
        `${series.name} belongs to ${family.name} (${family.type})`,
      );
      const owner = sampleOwner.get(series.name);
      assert.ok(owner === undefined || owner === family.name, `${series.name} is of one family`);
      sampleOwner.set(series.name, family.name);
      const key = keyOf(series.labels, series.name);
      assert.ok(!seriesKeys.has(key), `${key} is there once`);
      seriesKeys.add(key);
      family.series.push(series);
    }
  }
  for (const one of families.values()) checkFamily(one);
  return families;
}

/** A label without a value is the same as none. */
const keyOf = (labels: ParsedSeries['labels'], name = ''): string =>
  `${name} ${JSON.stringify(
    Object.keys(labels)
      .filter((label) => labels[label] !== '')
      .toSorted()
      .map((label) => [label, labels[label]]),
  )}`;

function parseSeries(line: string): ParsedSeries {
  const [, name, inside, value] = LINE.exec(line) ?? [];
  assert.ok(name !== undefined && value !== undefined, `a line that is none: ${JSON.stringify(line)}`);
  const labels: Record<string, string> = {};
  if (inside !== undefined && inside !== '') {
    PAIR.lastIndex = 0;
    while (PAIR.lastIndex < inside.length) {
      const pair = PAIR.exec(inside);
      assert.ok(pair !== null, `labels that are none: ${JSON.stringify(inside)}`);
      const [, label = '', escaped = ''] = pair;
      assert.ok(!(label in labels), `label ${label} once`);
      assert.ok(!label.startsWith('__'));
      labels[label] = escaped.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
    }
  }
  return { name, labels, value: parseNumber(value) };
}

function parseNumber(text: string): number {
  if (text === 'NaN') return NaN;
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  assert.match(text, /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i);
  return Number(text);
}

function checkFamily({ name, type, series }: ParsedFamily): void {
  if (type === 'counter') for (const { value } of series) assert.ok(value >= 0, `${name} is ${value}`);
  if (type !== 'histogram') return;
  const groups = new Map<string, { buckets: [number, number][]; count?: number; sum?: number }>();
  for (const { name: sample, labels, value } of series) {
    const { le, ...rest } = labels;
    const key = keyOf(rest);
    const group = groups.get(key) ?? { buckets: [] };
    groups.set(key, group);
    if (sample.endsWith('_bucket')) group.buckets.push([parseNumber(le ?? ''), value]);
    else if (sample.endsWith('_count')) group.count = value;
    else group.sum = value;
  }
  for (const [key, { buckets, count, sum }] of groups) {
    assert.ok(sum !== undefined, `${name} ${key} has a sum`);
    assert.equal(buckets.at(-1)?.[0], Infinity, `${name} ${key} ends with +Inf`);
    assert.equal(buckets.at(-1)?.[1], count, `${name} ${key}: the count is that of +Inf`);
    for (const [at, [le, value]] of buckets.entries()) {
      const [before, less] = buckets[at - 1] ?? [-Infinity, 0];
      assert.ok(le > before && value >= less, `${name} ${key} rises`);
    }
  }
}
