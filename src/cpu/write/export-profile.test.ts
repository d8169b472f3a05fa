import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { FunctionTable } from '../model/function-table.ts';
import type { CpuProfile } from '../model/profile.ts';
import { NO_LINE_TICKS, NO_SAMPLES, SampleColumns } from '../model/samples.ts';
import { readCpuProfileChunks } from '../read/read-cpu-profile.ts';
import { EXPORT_FORMATS, type ExportFormat, exportProfile } from './export-profile.ts';
import { stackOf } from './stacks.ts';

const write = (profile: CpuProfile, format: ExportFormat): Buffer =>
  Buffer.concat([...exportProfile(profile, format, { name: 'a "name"' })].map((part) => Buffer.from(part as string)));

const roundTrip = (profile: CpuProfile, format: ExportFormat): Promise<CpuProfile> => {
  const written = write(profile, format);
  const bytes = format === 'pprof' ? gunzipSync(written) : written;
  return readCpuProfileChunks(
    (async function* () {
      yield bytes;
    })(),
    format,
  );
};

interface Recipe {
  readonly places: readonly {
    readonly name: string;
    readonly url: string;
    readonly line: number;
    readonly column: number;
  }[];
  /** Per node: which of the nodes before is its parent, and its function. */
  readonly nodes: readonly { readonly parent: number; readonly fn: number }[];
  readonly samples: readonly { readonly node: number; readonly durationUs: number }[];
}

const name = fc.oneof(
  fc.constantFrom(
    'main',
    '(anonymous)',
    '(garbage collector)',
    '(idle)',
    '(program)',
    'get size',
    'ä"\\\u2028',
    'a (b',
    'JSON.parse',
  ),
  fc.string({ minLength: 1, maxLength: 6 }),
);
const url = fc.constantFrom(
  '',
  'file:///app/a b.js',
  'node:fs',
  '/app/node_modules/@a/b/c.js',
  'C:\\app\\d.js',
  'evalmachine.<anonymous>',
);
const recipe: fc.Arbitrary<Recipe> = fc.record({
  places: fc.array(fc.record({ name, url, line: fc.nat(3000), column: fc.nat(200) }), { minLength: 1, maxLength: 6 }),
  nodes: fc.array(fc.record({ parent: fc.nat(), fn: fc.nat() }), { maxLength: 20 }),
  samples: fc.array(fc.record({ node: fc.nat(), durationUs: fc.oneof(fc.nat(5000), fc.constant(3e9)) }), {
    minLength: 1,
    maxLength: 30,
  }),
});

const make = ({ places, nodes, samples }: Recipe, isChronological: boolean): CpuProfile => {
  const table = new FunctionTable();
  const root = table.add('(root)', '', 0, 0);
  const functions = places.map(({ name: text, url: file, line, column }) =>
    table.add(text === '' ? '(anonymous)' : text, file, line, line === 0 ? 0 : column),
  );
  const parent = Int32Array.from([-1, ...nodes.map((node, index) => node.parent % (index + 1))]);
  const node = Uint32Array.from(samples, (sample) => sample.node % parent.length);
  const durationUs = Float64Array.from(samples, (sample) => sample.durationUs);
  const selfUs = new Float64Array(parent.length);
  const hits = new Uint32Array(parent.length);
  for (const [index, at] of node.entries()) {
    selfUs[at] = (selfUs[at] ?? 0) + (durationUs[index] ?? 0);
    hits[at] = (hits[at] ?? 0) + 1;
  }
  return {
    functions: table.list('native'),
    nodeCount: parent.length,
    parent,
    functionOf: Uint32Array.from([root, ...nodes.map((entry) => functions[entry.fn % functions.length] ?? 0)]),
    selfUs,
    hits,
    lineTicks: NO_LINE_TICKS,
    samples: isChronological ? new SampleColumns(node, durationUs) : NO_SAMPLES,
    isChronological,
    sampleCount: samples.length,
    durationUs: durationUs.reduce((sum, value) => sum + value, 0),
    unit: 'microseconds',
    deoptReasons: new Map(),
    notes: [],
  };
};

const NOWHERE = { name: 'nowhere', url: '', line: 0, column: 0 };

/** Microseconds by stack of places: what every format must keep. */
const byStack = (profile: CpuProfile, clean: (text: string) => string = (text) => text): Map<string, number> => {
  const sums = new Map<string, number>();
  for (let node = 0; node < profile.nodeCount; node += 1) {
    const self = profile.selfUs[node] ?? 0;
    if (self === 0) continue;
    const stack = stackOf(profile, node).map((index) => {
      const { name: text, url: file, line, column } = profile.functions[index] ?? NOWHERE;
      return clean(`${text}|${file}|${line}|${column}`);
    });
    const key = stack.join('\n');
    sums.set(key, (sums.get(key) ?? 0) + self);
  }
  return sums;
};

const equalWithin = (actual: Map<string, number>, expected: Map<string, number>, allowed: number): void => {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [key, value] of expected)
    assert.ok(Math.abs((actual.get(key) as number) - value) <= allowed, `${key}: ${actual.get(key)} for ${value}`);
};

const check = (property: (profile: CpuProfile) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(recipe, fc.boolean(), (drawn, isChronological) => property(make(drawn, isChronological))),
    { numRuns: 40 },
  );

/** Of the recipe, a profile of a bundle without any time has nothing that could come back. */
const isEmpty = (profile: CpuProfile): boolean => profile.selfUs.every((value) => value === 0);

describe('a profile that is written and read again', () => {
  it('is the same as cpuprofile: tree, hits and samples', () =>
    check(async (profile) => {
      const again = await roundTrip(profile, 'cpuprofile');
      assert.deepEqual(again.parent, profile.parent);
      equalWithin(byStack(again), byStack(profile), 1e-3);
      for (let node = 0; node < profile.nodeCount; node += 1)
        assert.deepEqual(
          again.functions[again.functionOf[node] ?? 0],
          profile.functions[profile.functionOf[node] ?? 0],
        );
      if (!profile.isChronological) return;
      assert.deepEqual([...again.samples.node], [...profile.samples.node]);
      assert.deepEqual([...again.samples.durationUs], [...profile.samples.durationUs]);
      assert.deepEqual(again.hits, profile.hits);
    }));

  it('has the same stacks and times as speedscope, in the same order', () =>
    check(async (profile) => {
      const again = await roundTrip(profile, 'speedscope');
      equalWithin(byStack(again), byStack(profile), 1e-3);
      if (!profile.isChronological) return;
      assert.deepEqual([...again.samples.durationUs], [...profile.samples.durationUs]);
    }));

  it('has the same stacks, hits and times, to the nanosecond, as pprof', () =>
    check(async (profile) => {
      if (isEmpty(profile)) return;
      const again = await roundTrip(profile, 'pprof');
      equalWithin(byStack(again), byStack(profile), 1e-3);
      assert.equal(again.sampleCount, profile.sampleCount);
    }));

  it('has the same stacks and whole microseconds as collapsed stacks, but for the characters that part them', () =>
    check(async (profile) => {
      if (isEmpty(profile)) return;
      const again = await roundTrip(profile, 'collapsed');
      // What the text cannot keep: white space at the ends of a name, and names that look like a name with a place;
      // and lines of code that has no file.
      const isPlain = profile.functions.every(({ name: text, url: file }) =>
        file === ''
          ? /^(?!o?[~^+*]'?[./])[^;()\s:]+( [^;()\s:]+)*$|^\((?:root|idle|program|garbage collector|anonymous)\)$/.test(
              text,
            )
          : /^[^;()\s]+( [^;()\s]+)*$|^\(anonymous\)$/.test(text),
      );
      if (!isPlain) return;
      const withoutLine = (text: string): string => text.replace(/\|\|\d+\|\d+$/, '||0|0');
      equalWithin(byStack(again, withoutLine), byStack(profile, withoutLine), 0.5 * profile.nodeCount);
    }));

  it('keeps a unit that is not time', async () => {
    const drawn: Recipe = {
      places: [{ name: 'a', url: '', line: 0, column: 0 }],
      nodes: [{ parent: 0, fn: 0 }],
      samples: [{ node: 1, durationUs: 7 }],
    };
    for (const unit of ['samples', 'bytes'] as const)
      for (const format of EXPORT_FORMATS.filter((other) => other !== 'cpuprofile')) {
        const again = await roundTrip({ ...make(drawn, false), unit }, format);
        assert.deepEqual([format, again.unit, again.durationUs], [format, unit, 7]);
      }
  });
});
