import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Function as PprofFunction, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import { listTotals } from '../passes/totals.ts';
import type { CpuProfile } from '../model/profile.ts';
import { readCpuProfile, readCpuProfileChunks } from './read-cpu-profile.ts';

const folder = mkdtempSync(join(tmpdir(), 'cpu-read-'));
after(() => {
  rmSync(folder, { recursive: true });
});
/** Written under a name that says nothing: the content has to. */
const read = (content: string | Uint8Array | object): Promise<CpuProfile> => {
  const isBytes = typeof content === 'string' || content instanceof Uint8Array;
  const bytes = Buffer.from(isBytes ? (content as string) : JSON.stringify(content));
  return readCpuProfileChunks(
    (async function* () {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    })(),
    'profile-1',
  );
};

/** Small, so that it cuts through everything. */
const CHUNK_BYTES = 61;

const readCompressed = (content: string | Uint8Array): Promise<CpuProfile> => {
  const path = join(folder, 'profile-1');
  writeFileSync(path, gzipSync(content));
  return readCpuProfile(path);
};

const failure = async (content: string | Uint8Array | object): Promise<string> => {
  try {
    await read(content);
  } catch (error) {
    assert.equal((error as Error).name, 'BadFile', String((error as Error).stack));
    return (error as Error).message.replace(/^.*profile-\d+: /, '');
  }
  return 'no error';
};

/** `name self/total`, in microseconds, most self first. */
const totalsOf = (profile: CpuProfile): string[] =>
  listTotals(profile).map(({ name, selfUs, totalUs }) => `${name} ${selfUs}/${totalUs}`);

const frame = (functionName: string, url = '', lineNumber = -1): object => ({
  functionName,
  scriptId: '1',
  url,
  lineNumber,
  columnNumber: lineNumber === -1 ? -1 : 4,
});

/** main → work → work → leaf, and (program) beside. */
const tree = (children: boolean): object[] => {
  const rows: [number, object, number, number[]][] = [
    [1, frame('(root)'), 0, [2, 5]],
    [2, frame('main', 'file:///app/main.js', 0), 1, [3]],
    [3, frame('work', 'file:///app/main.js', 9), 1, [4]],
    [4, frame('work', 'file:///app/main.js', 9), 1, [6]],
    [5, frame('(program)'), 1, []],
    [6, frame('leaf', 'file:///app/node_modules/@org/leaf/index.js', 2), 1, []],
  ];
  const parentOf = new Map(rows.flatMap(([id, , , kids]) => kids.map((kid) => [kid, id])));
  return rows.map(([id, callFrame, hitCount, kids]) => ({
    id,
    callFrame,
    hitCount,
    ...(children ? (kids.length > 0 ? { children: kids } : {}) : id === 1 ? {} : { parent: parentOf.get(id) }),
  }));
};

const times = { startTime: 1000, endTime: 2000, samples: [2, 3, 4, 6, 5], timeDeltas: [50, 100, 200, 300, 100] };

describe('a cpuprofile', () => {
  it('weighs samples by the time until the next one, and counts recursion once', async () => {
    const profile = await read({ nodes: tree(true), ...times });
    assert.equal(profile.durationUs, 100 + 200 + 300 + 100 + 175);
    assert.deepEqual(totalsOf(profile), [
      'work 500/600',
      '(program) 175/175',
      'main 100/700',
      'leaf 100/100',
      '(root) 0/875',
    ]);
    assert.deepEqual([...profile.samples.startUs], [0, 100, 300, 600, 700]);
    assert.deepEqual([...profile.hits], [0, 1, 1, 1, 1, 1]);
  });

  it('tells lines and columns from 1, categories and packages', async () => {
    const { functions } = await read({ nodes: tree(true), ...times });
    assert.deepEqual(
      functions.map(({ name, line, column, category, package: packageName }) => [
        name,
        line,
        column,
        category,
        packageName,
      ]),
      [
        ['(root)', 0, 0, 'program', null],
        ['main', 1, 5, 'application', null],
        ['work', 10, 5, 'application', null],
        ['(program)', 0, 0, 'program', null],
        ['leaf', 3, 5, 'dependency', '@org/leaf'],
      ],
    );
  });

  it('is the same with a parent in each node, with nodes in any order, compressed, and with fields that nobody knows', async () => {
    const wanted = totalsOf(await read({ nodes: tree(true), ...times }));
    assert.deepEqual(totalsOf(await read({ nodes: tree(false), ...times })), wanted);
    assert.deepEqual(totalsOf(await read({ ...times, nodes: tree(true).reverse() })), wanted);
    assert.deepEqual(totalsOf(await readCompressed(JSON.stringify({ nodes: tree(true), ...times }))), wanted);
    const strange = {
      $vscode: { locations: [{}] },
      nodes: tree(true).map((node) => ({ x: [{ id: 7 }], ...node })),
      ...times,
    };
    assert.deepEqual(totalsOf(await read(JSON.stringify(strange, null, 2))), wanted);
  });

  it('sorts samples that are out of order, and says so', async () => {
    const profile = await read({ nodes: tree(true), ...times, timeDeltas: [50, 100, 200, -150, 400] });
    // At 0, 100, 300, 150, 550: the fourth runs from 150 to 300.
    assert.deepEqual([...profile.samples.node], [1, 2, 5, 3, 4]);
    assert.deepEqual([...profile.samples.durationUs], [100, 50, 150, 250, 138]);
    assert.deepEqual(profile.notes, ['1 of 5 samples were out of order and have been sorted']);
  });

  it('holds gaps of hours and times that are no whole microseconds', async () => {
    const profile = await read({ nodes: tree(true), ...times, timeDeltas: [0, 1e10, 0.5, 100, 100] });
    assert.deepEqual([...profile.samples.durationUs].slice(0, 4), [1e10, 0.5, 100, 100]);
  });

  it('without samples spreads its time over the hits; without times over the samples', async () => {
    const { startTime, endTime, samples } = times;
    const byHits = await read({ nodes: tree(true), startTime, endTime });
    assert.deepEqual(totalsOf(byHits)[0], 'work 400/600');
    assert.equal(byHits.isChronological, false);
    const bySamples = await read({ nodes: tree(true), startTime, endTime, samples });
    assert.deepEqual([...bySamples.samples.durationUs], [200, 200, 200, 200, 200]);
  });

  it('takes the length of the last sample where the file tells it', async () => {
    const profile = await read({ nodes: tree(true), ...times, timeDeltas: [...times.timeDeltas, 25] });
    assert.equal(profile.durationUs, 725);
  });

  it('keeps line ticks and reasons of deoptimisations', async () => {
    const nodes = tree(true).map((node, index) =>
      index === 5
        ? {
            ...node,
            positionTicks: [
              { line: 4, ticks: 2 },
              { line: 5, ticks: 1 },
            ],
            deoptReason: 'wrong map',
          }
        : { ...node, deoptReason: 'no reason' },
    );
    const { lineTicks, deoptReasons } = await read({ nodes, ...times });
    assert.deepEqual(
      [lineTicks.count, [...lineTicks.node], [...lineTicks.line], [...lineTicks.ticks]],
      [2, [5, 5], [4, 5], [2, 1]],
    );
    assert.deepEqual([...deoptReasons], [[5, ['wrong map']]]);
  });

  it('is read in the older form: nodes in nodes, seconds at the ends, fields of a node behind its children', async () => {
    const node = (name: string, id: number, children: object[]): object => ({
      functionName: name,
      url: name === 'a' ? '/app/a.js' : '',
      lineNumber: 3,
      columnNumber: 1,
      hitCount: id === 1 ? 0 : 1,
      children,
      deoptReason: name === 'a' ? 'wrong map' : '',
      id,
    });
    const head = node('(root)', 1, [node('a', 2, [node('b', 3, [])]), node('(idle)', 4, [])]);
    const profile = await read({ head, startTime: 1, endTime: 2, samples: [2, 3, 4], timestamps: [1e6, 1.1e6, 1.4e6] });
    assert.deepEqual(totalsOf(profile), [
      'b 300000/300000',
      '(idle) 200000/200000',
      'a 100000/400000',
      '(root) 0/600000',
    ]);
    assert.deepEqual([...profile.deoptReasons], [[1, ['wrong map']]]);
    assert.equal(profile.functions[1]?.line, 3);
  });

  it('is refused with the place where the tree, the samples or the times are wrong', async () => {
    const nodes = tree(true) as { id: number; children?: number[] }[];
    const change = (at: number, fields: object): object => ({
      nodes: nodes.map((node, index) => (index === at ? { ...node, ...fields } : node)),
      ...times,
    });
    assert.equal(await failure({ nodes: [], ...times }), 'at nodes: there is not a single node');
    assert.equal(await failure(change(2, { children: [99] })), 'at nodes[2].children[0]: there is no node 99');
    assert.equal(
      await failure(change(3, { children: [6, 3] })),
      'at nodes[3].children[1]: node 3 has another parent already',
    );
    assert.equal(await failure(change(5, { id: 4 })), 'at nodes[5].id: a second node has the id 4');
    assert.equal(
      await failure(change(0, { children: [2] })),
      'at nodes[4]: belongs to no parent, and nodes[0] does not either',
    );
    assert.match(await failure(change(5, { children: [1] })), /no node is the root/);
    const cycle = nodes.map((node, index) =>
      index === 1 ? { ...node, children: [] } : index === 5 ? { ...node, children: [3] } : node,
    );
    assert.equal(
      await failure({ nodes: cycle, ...times }),
      'at nodes[2]: is its own ancestor: the tree of calls has a cycle',
    );
    assert.equal(await failure({ nodes, ...times, samples: [2, 3, 77, 6, 5] }), 'at samples[2]: there is no node 77');
    assert.equal(await failure({ nodes, ...times, timeDeltas: [1] }), 'at timeDeltas: 1 times for 5 samples');
    assert.equal(
      await failure({ nodes, ...times, timeDeltas: [0, 1e300, 1, 1, 1] }),
      'at timeDeltas[1]: a time of 1e+300 µs is no time',
    );
    assert.match(
      await failure({ nodes, ...times, samples: [2, '3'] }),
      /^at byte \d+ \(samples\[1\]\): a number was expected/,
    );
    assert.match(await failure(change(1, { id: -1 })), /\(nodes\[1\]\.id\): -1 is not the id of a node/);
  });

  it('is told from what lies next to it', async () => {
    assert.match(await failure({ snapshot: { meta: {} }, nodes: [] }), /this is a heap snapshot/);
    assert.match(
      await failure({ head: { callFrame: {}, selfSize: 1, id: 1, children: [] }, samples: [] }),
      /sampling heap profile/,
    );
    assert.match(await failure({ traceEvents: [{}] }), /this is a trace/);
    assert.match(await failure({ a: 1 }), /neither `nodes` \(cpuprofile\) nor `profiles`/);
    assert.match(await failure('v8-version,13,6\ncode-creation,x\n'), /a log of V8/);
    assert.equal(await failure(''), 'the file is empty');
  });
});

describe('reading a file', () => {
  it('tells how far it is, ends with the reason of an abort, and leaves errors of the file system as they are', async () => {
    const path = join(folder, 'large');
    const text = JSON.stringify({ nodes: tree(true), ...times, padding: 'x'.repeat(3 << 20) });
    writeFileSync(path, text);
    const seen: number[] = [];
    await readCpuProfile(path, {
      onProgress: (readBytes, fileBytes) => {
        assert.equal(fileBytes, text.length);
        seen.push(readBytes);
      },
    });
    assert.ok(seen.length > 2 && seen.at(-1) === text.length, seen.join());
    const controller = new AbortController();
    const reading = readCpuProfile(path, {
      signal: controller.signal,
      onProgress: () => {
        controller.abort(new Error('enough'));
      },
    });
    await assert.rejects(reading, /^Error: enough$/);
    await assert.rejects(readCpuProfile(join(folder, 'none')), { code: 'ENOENT' });
    await assert.rejects(readCpuProfile(folder), { code: 'EISDIR' });
  });
});

describe('a speedscope file', () => {
  const frames = [{ name: 'main', file: 'a.js', line: 1 }, { name: 'work' }, { name: '(garbage collector)' }];
  const sampled = {
    type: 'sampled',
    name: 'one',
    unit: 'milliseconds',
    startValue: 0,
    endValue: 6,
    samples: [[0], [0, 1], [], [0, 1]],
    weights: [1, 2, 0.5, 3],
  };
  const event = (type: string, at: number, of: number): object => ({ type, at, frame: of });

  it('is read sampled', async () => {
    const profile = await read({ profiles: [sampled], shared: { frames } });
    assert.deepEqual(totalsOf(profile), ['work 5000/5000', 'main 1000/6000', '(root) 500/6500']);
    assert.deepEqual([...profile.samples.startUs], [0, 1000, 3000, 3500]);
  });

  it('is read evented, and beside other profiles one after another', async () => {
    const evented = {
      type: 'evented',
      name: 'two',
      unit: 'seconds',
      startValue: 1,
      endValue: 5,
      events: [event('O', 1, 0), event('O', 2, 1), event('C', 3, 1), event('C', 4, 0)],
    };
    const alone = await read({ shared: { frames }, profiles: [evented] });
    assert.deepEqual(totalsOf(alone), ['main 2000000/3000000', '(root) 1000000/4000000', 'work 1000000/1000000']);
    const both = await read({ shared: { frames }, profiles: [evented, sampled, { ...sampled, unit: 'bytes' }] });
    assert.deepEqual(totalsOf(both).slice(0, 2), ['main 2001000/3006000', 'work 1005000/1005000']);
    assert.deepEqual(both.notes, ['2 profiles, one after another in time', '1 profiles in another unit are left out']);
    assert.ok(totalsOf(both).includes('(thread) two 1000000/4000000'));
  });

  it('is refused with the place', async () => {
    const evented = (events: object[]): object => ({
      shared: { frames },
      profiles: [{ type: 'evented', unit: 'none', startValue: 0, endValue: 9, events }],
    });
    const sampledWith = (fields: object): object => ({ shared: { frames }, profiles: [{ ...sampled, ...fields }] });
    assert.equal(await failure(sampledWith({ weights: [1] })), 'at profiles[0].weights: 1 weights for 4 samples');
    assert.equal(
      await failure(sampledWith({ samples: [[0], [0, 9], [], [1]] })),
      'at profiles[0].samples[1][1]: there is no frame 9: the list has 3',
    );
    assert.equal(
      await failure(sampledWith({ weights: [1, -2, 1, 1] })),
      'at profiles[0].weights[1]: a weight of -2000 is none',
    );
    assert.equal(await failure(sampledWith({ unit: 'ells' })), 'at profiles[0].unit: the unit "ells" is not known');
    assert.match(
      await failure(evented([event('O', 1, 0), event('C', 2, 1)])),
      /^at profiles\[0\]\.events\[1\]: frame 1 ends/,
    );
    assert.match(
      await failure(evented([event('O', 5, 0), event('C', 2, 0)])),
      /^at profiles\[0\]\.events\[1\]: an event at 2 after one at 5/,
    );
    assert.match(await failure(evented([event('X', 5, 0)])), /neither the beginning/);
  });
});

describe('collapsed stacks', () => {
  it('are read with places of functions, and with the unit that our writer tells', async () => {
    const profile = await read(
      'main (/a.js:1:2);work 3\nmain (/a.js:1:2);work;(garbage collector) 2.5\n\nmain (/a.js:1:2) 1\r\n',
    );
    assert.deepEqual(totalsOf(profile), ['work 3/5.5', '(garbage collector) 2.5/2.5', 'main 1/6.5', '(root) 0/6.5']);
    assert.deepEqual([profile.unit, profile.isChronological], ['samples', false]);
    assert.deepEqual(profile.functions[1], {
      name: 'main',
      url: '/a.js',
      line: 1,
      column: 2,
      category: 'application',
      package: null,
    });
    const timed = await read('# unit: microseconds\n# by hand\n#run (/a.js:1:2);b 1\n');
    assert.deepEqual([timed.unit, ...totalsOf(timed)], ['microseconds', 'b 1/1', '#run 0/1', '(root) 0/1']);
  });

  it('are refused with the line', async () => {
    assert.match(await failure('a;b 1\na;b\n'), /^at line 2: frames with semicolons/);
    assert.match(await failure('a 0\n'), /not a single stack/);
  });
});

const PERF = `node 4321 [001] 1234.567890:    2000000 cpu-clock:pppH:
\t    55d0c0 v8::internal::JsonParser<unsigned char>::ParseJson()+0x1f (/usr/bin/node)
\t    7f1234 JS:*parse file:///app/a.js:3:14+0x40 (/tmp/perf-4321.map)
\t    7f1235 LazyCompile:~main /app/main.js:1 (/tmp/perf-4321.map)
\t    7f1236 [unknown] ([unknown])

V8 Worker 4322 1234.569890:    3000000 cpu-clock:pppH:
\t    55d0c1 v8::internal::Scavenger::Process()+0x1f (/usr/bin/node)

`;

describe('the output of perf script', () => {
  it('is read with the places that V8 gives and the time that perf counts', async () => {
    const profile = await read(PERF);
    assert.deepEqual(
      listTotals(profile).map(({ functionIndex, selfUs, totalUs }) => {
        const fn = profile.functions[functionIndex ?? 0];
        return `${fn?.name} ${fn?.url}:${fn?.line} ${fn?.category} ${selfUs}/${totalUs}`;
      }),
      [
        'v8::internal::Scavenger::Process() :0 gc 3000/3000',
        'v8::internal::JsonParser<unsigned char>::ParseJson() :0 json 2000/2000',
        '(root) :0 program 0/5000',
        '(thread) V8 Worker :0 program 0/3000',
        '(thread) node :0 program 0/2000',
        '[unknown] :0 native 0/2000',
        'main /app/main.js:1 application 0/2000',
        'parse file:///app/a.js:3 application 0/2000',
      ],
    );
  });

  it('is weighed by the usual gap where events are no clock', async () => {
    const sample = (at: number): string => `node 1 ${at}.000000: 12345 cycles:P:\n\t  55d0c0 f+0x1 (/usr/bin/node)\n\n`;
    const profile = await read([1, 2, 3, 60].map(sample).join(''));
    assert.equal(profile.durationUs, 4e6);
    assert.match(profile.notes[0] ?? '', /usual gap, 1000000 µs/);
  });

  it('is refused with the line', async () => {
    assert.match(await failure(`${PERF}node 1 what\n`), /^at line 10: a sample \(name, thread, time, event\)/);
    assert.match(await failure(PERF.replace('\t    7f1235', 'x')), /^at line 4: a frame/);
  });
});

describe('a pprof file', () => {
  const strings = new StringTable();
  const text = (value: string): number => strings.dedup(value);
  const profile = (fields: object = {}): Uint8Array =>
    new Profile({
      sampleType: [
        new ValueType({ type: text('samples'), unit: text('count') }),
        new ValueType({ type: text('wall'), unit: text('nanoseconds') }),
      ],
      sample: [
        new Sample({ locationId: [2, 1], value: [3, 3_000_000] }),
        new Sample({ locationId: [1], value: [1, 1_500_000] }),
        new Sample({ locationId: [3], value: [0, 0] }),
      ],
      location: [
        new Location({ id: 1, line: [new Line({ functionId: 1, line: 12 })] }),
        new Location({ id: 2, line: [new Line({ functionId: 3, line: 5 }), new Line({ functionId: 2, line: 7 })] }),
        new Location({ id: 3, address: 0xabc }),
      ],
      function: [
        new PprofFunction({ id: 1, name: text('main'), filename: text('/a.js'), startLine: 10 }),
        new PprofFunction({ id: 2, name: text('outer'), filename: text('/b.js') }),
        new PprofFunction({ id: 3, name: text('inlined'), filename: text('/b.js') }),
      ],
      stringTable: strings,
      ...fields,
    }).encode();

  it('is read, compressed or not: the value that counts time, inlined calls, code without a name', async () => {
    for (const read1 of [await read(profile()), await readCompressed(profile())]) {
      assert.deepEqual(totalsOf(read1), [
        'inlined 3000/3000',
        'main 1500/4500',
        '(root) 0/4500',
        'outer 0/3000',
        '0xabc 0/0',
      ]);
      assert.deepEqual([read1.sampleCount, read1.unit], [4, 'microseconds']);
      assert.deepEqual(
        read1.functions.map(({ name, line }) => [name, line]),
        [
          ['(root)', 0],
          ['main', 10],
          ['outer', 7],
          ['inlined', 5],
          ['0xabc', 0],
        ],
      );
    }
  });

  it('of @datadog/pprof has its functions without a name at their places, and its garbage collection as such', async () => {
    // Strings of its own: in those of the others each is needed, or a cut would not be seen.
    const stringTable = new StringTable();
    const own = (value: string): number => stringTable.dedup(value);
    const named = await read(
      profile({
        sampleType: ['samples', 'wall'].map(
          (type) => new ValueType({ type: own(type), unit: own(type === 'wall' ? 'nanoseconds' : 'count') }),
        ),
        function: [
          new PprofFunction({ id: 1, name: own('(anonymous:L#4:C#14)'), filename: own('/a.js') }),
          new PprofFunction({ id: 2, name: own('(anonymous:L#9)'), filename: own('/b.js') }),
          new PprofFunction({ id: 3, name: own('Garbage Collection') }),
        ],
        stringTable,
      }),
    );
    assert.deepEqual(
      named.functions.slice(1, 4).map(({ name, line, column, category }) => [name, line, column, category]),
      [
        ['(anonymous)', 4, 14, 'application'],
        ['(anonymous)', 9, 0, 'application'],
        ['Garbage Collection', 5, 0, 'gc'],
      ],
    );
  });

  it('with several kinds of time is shown by its default, and says which it has as well', async () => {
    const sampleType = ['cpu', 'wall'].map((name) => new ValueType({ type: text(name), unit: text('nanoseconds') }));
    assert.deepEqual((await read(profile({ sampleType }))).notes, ['shown is wall; the file has cpu as well']);
    const byDefault = await read(profile({ sampleType, defaultSampleType: text('cpu') }));
    assert.deepEqual(byDefault.notes, ['shown is cpu; the file has wall as well']);
    assert.equal(byDefault.durationUs, 0.004);
  });

  it('is refused with the place', async () => {
    assert.match(await failure(profile({ location: [] })), /^at sample 1 \(byte [\d,]+\): there is no location 1/);
    assert.match(await failure(profile({ function: [] })), /there is no function 1/);
    assert.match(
      await failure(profile({ sample: [new Sample({ locationId: [1], value: [1] })] })),
      /1 values for 2 kinds/,
    );
    assert.match(
      await failure(profile({ sample: [new Sample({ locationId: [1], value: [1, -5] })] })),
      /a value of -0.005/,
    );
    assert.match(await failure(profile({ sample: [] })), /not a single sample/);
    // The fields behind the strings are single numbers: a file without them is whole.
    const whole = profile();
    const lastString = whole.length - 5;
    for (let length = 1; length < lastString; length += 1)
      assert.match(
        await failure(whole.subarray(0, length)),
        /^(?:at|there|it does)/,
        `cut at ${length} of ${whole.length}`,
      );
  });
});
