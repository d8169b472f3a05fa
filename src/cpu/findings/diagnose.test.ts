import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { categorize, findPackage } from '../model/categorize.ts';
import type { CpuFunction, CpuProfile } from '../model/profile.ts';
import { SampleColumns } from '../model/samples.ts';
import type { V8Log } from '../read/v8-log.ts';
import { type Diagnosis, diagnoseLog, diagnoseWith } from './diagnose.ts';
import { judgeRegExp } from './judge-regexp.ts';
import { NO_SOURCE, type SourceLookup } from './source.ts';

/** A stack from the outside in, with ` > ` between frames (`name url:line`), for so many samples of 1 ms. */
interface Row {
  readonly stack: string;
  readonly samples: number;
  /** The line of the innermost function that all of them fell on. */
  readonly line?: number;
  readonly sampleUs?: number;
}

const row = (stack: string, samples: number, rest: Omit<Row, 'stack' | 'samples'> = {}): Row => ({
  stack,
  samples,
  ...rest,
});

function profileOf(rows: readonly Row[]): CpuProfile {
  const functions: CpuFunction[] = [];
  const keys = new Map<string, number>();
  const functionOf: number[] = [];
  const parent: number[] = [];
  const nodes = new Map<string, number>();
  const add = (frame: string, above: number): number => {
    const key = `${above} ${frame}`;
    const known = nodes.get(key);
    if (known !== undefined) return known;
    let index = keys.get(frame);
    if (index === undefined) {
      const [, name = '', url = '', line = '0'] = /^(.*?)(?: (\S+?):(\d+))?$/.exec(frame) ?? [];
      const place = { name, url, line: Number(line), column: 1 };
      functions.push({ ...place, category: categorize(place, 'native'), package: findPackage(url) });
      keys.set(frame, (index = functions.length - 1));
    }
    parent.push(above);
    nodes.set(key, functionOf.push(index) - 1);
    return functionOf.length - 1;
  };
  add('(root)', -1);
  const node: number[] = [];
  const durationUs: number[] = [];
  const ticks = new Map<string, { node: number; line: number; ticks: number }>();
  for (const { stack, samples, line, sampleUs = 1000 } of rows) {
    const leaf = stack.split(' > ').reduce((above, frame) => add(frame, above), 0);
    for (let sample = 0; sample < samples; sample++) {
      node.push(leaf);
      durationUs.push(sampleUs);
    }
    if (line === undefined) continue;
    const key = `${leaf}:${line}`;
    ticks.set(key, { node: leaf, line, ticks: (ticks.get(key)?.ticks ?? 0) + samples });
  }
  const selfUs = new Float64Array(functionOf.length);
  const hits = new Uint32Array(functionOf.length);
  for (const [at, one] of node.entries()) {
    selfUs[one] = (selfUs[one] ?? 0) + (durationUs[at] ?? 0);
    hits[one] = (hits[one] ?? 0) + 1;
  }
  const lineTicks = [...ticks.values()];
  const column = (key: 'node' | 'line' | 'ticks'): Uint32Array => Uint32Array.from(lineTicks, (one) => one[key]);
  return {
    functions,
    nodeCount: functionOf.length,
    parent: Int32Array.from(parent),
    functionOf: Uint32Array.from(functionOf),
    selfUs,
    hits,
    lineTicks: { count: lineTicks.length, node: column('node'), line: column('line'), ticks: column('ticks') },
    samples: new SampleColumns(Uint32Array.from(node), Uint32Array.from(durationUs)),
    isChronological: true,
    sampleCount: node.length,
    durationUs: durationUs.reduce((sum, us) => sum + us, 0),
    unit: 'microseconds',
    deoptReasons: new Map(),
    notes: [],
  };
}

const judge = (
  rows: readonly Row[],
  { source = NO_SOURCE, log = null }: { source?: SourceLookup; log?: V8Log | null } = {},
): Diagnosis => diagnoseWith(profileOf(rows), { source, log, judge: judgeRegExp });

const ids = (diagnosis: Diagnosis): string[] => diagnosis.findings.map(({ id }) => id);

/** The same rows again and again, so that everything comes back. */
const times = (count: number, rows: readonly Row[]): Row[] => Array.from({ length: count }, () => rows).flat();

const HTTP = 'parserOnIncoming node:_http_server:1167 > emit node:events:489 > ';
const HANDLE = `${HTTP}handle /app/server.js:10`;
const READ = `${HANDLE} > readFileSync node:fs:473 > readFileUtf8`;
const WRITE = `${HTTP}end node:_http_outgoing:1143 > writeUtf8String`;
const WORK = row(WRITE, 20);
const BOOT = 'run node:internal/modules/esm/module_job:550 > evaluate > (anonymous) /app/server.js:1 > ';
const lines =
  (text: Readonly<Record<number, string>>): SourceLookup =>
  (url) =>
    url === '/app/server.js' ? Array.from({ length: 60 }, (_, at) => text[at + 1] ?? '') : null;

describe('what a profile shows', () => {
  it('is a synchronous read at run time, with the function that made it', () => {
    const { findings, verdict } = judge(times(10, [row(READ, 10), WORK]));
    assert.equal(verdict, 'findings');
    assert.deepEqual(ids({ findings } as Diagnosis), ['sync-io']);
    const [finding] = findings;
    assert.equal(finding?.where?.name, 'handle');
    assert.equal(finding.where.line, 10);
    assert.ok(Math.abs((finding.share ?? 0) - 1 / 3) < 0.01, String(finding.share));
    assert.equal(finding.severity, 'high');
  });

  it('is nothing when the same read happens while the program starts', () => {
    const start = row(`${BOOT}readFileSync node:fs:473 > readFileUtf8`, 200);
    const diagnosis = judge([start, ...times(10, [row(HANDLE, 5), WORK])]);
    assert.deepEqual([ids(diagnosis), diagnosis.verdict], [[], 'healthy']);
    assert.ok(diagnosis.runTime.busyMs < 300, 'the start is not counted');
  });

  it('is something in a script, which does its work while it is evaluated', () => {
    const work = row(`${BOOT}readFileSync node:fs:473 > readFileUtf8`, 30);
    const diagnosis = judge(times(12, [work, row(`${BOOT}compute /app/server.js:30`, 20)]));
    assert.ok(ids(diagnosis).includes('sync-io'));
    assert.equal(diagnosis.runTime.isScript, true);
  });

  it('is nothing in the long start of a service that has served little since', () => {
    const start = row(`${BOOT}pbkdf2Sync node:internal/crypto/pbkdf2:61 > run`, 6000);
    const diagnosis = judge([start, ...times(4, [row(HANDLE, 15), WORK])]);
    assert.deepEqual([ids(diagnosis), diagnosis.runTime.isScript], [[], false]);
  });

  it('is not what happens once', () => {
    const once = judge([row(HANDLE, 1), row(READ, 30), ...times(10, [row(HANDLE, 5), WORK])]);
    assert.deepEqual(ids(once), []);
    const twice = judge([row(HANDLE, 1), row(READ, 30), ...times(10, [row(HANDLE, 5), WORK]), row(READ, 30)]);
    assert.deepEqual(ids(twice), ['sync-io']);
  });

  it('is not a part of hardly anything: less than 1 % of all time', () => {
    const rows = times(10, [row(READ, 2), row('(idle)', 400)]);
    assert.deepEqual(ids(judge(rows)), []);
  });

  it('is not a gap in which the machine ran something else', () => {
    const gap = row(READ, 1, { sampleUs: 400_000 });
    const diagnosis = judge([...times(10, [row(HANDLE, 5), WORK]), gap, ...times(10, [row(HANDLE, 5), WORK]), gap]);
    assert.deepEqual(ids(diagnosis), []);
    assert.ok(diagnosis.runTime.busyMs < 600);
  });

  it('is too little to say with few samples, and not health', () => {
    assert.equal(judge([row(HANDLE, 10), WORK]).verdict, 'inconclusive');
    assert.equal(judge([row(HANDLE, 1), row('(idle)', 5000)]).verdict, 'healthy');
  });
});

describe('a profile of sums', () => {
  const asSums = (rows: readonly Row[], unit: CpuProfile['unit']): CpuProfile => {
    const profile = profileOf(rows);
    return {
      ...profile,
      unit,
      selfUs: profile.selfUs.map((us) => (unit === 'samples' ? us / 1000 : us)),
      hits: new Uint32Array(profile.nodeCount),
      samples: new SampleColumns(new Uint32Array(0), new Uint32Array(0)),
      isChronological: false,
      sampleCount: null,
    };
  };

  it('shows the same, whether it counts time or samples, and leaves the start out as well', () => {
    const start = row(`${BOOT}readFileSync node:fs:473 > readFileUtf8`, 200);
    for (const unit of ['microseconds', 'samples'] as const) {
      const found = (rows: readonly Row[]): string[] =>
        ids(diagnoseWith(asSums(rows, unit), { source: NO_SOURCE, log: null, judge: judgeRegExp }));
      assert.deepEqual(found(times(10, [row(READ, 10), WORK])), ['sync-io'], unit);
      assert.deepEqual(found([start, ...times(10, [row(HANDLE, 5), WORK])]), [], unit);
    }
  });
});

describe('the outermost frame', () => {
  it('makes a write of the console logging, and no I/O of the application', () => {
    const stack = `${HANDLE} > consoleCall > log node:internal/console/constructor:400 > writeSync node:fs:943 > writeBuffer`;
    assert.deepEqual(ids(judge(times(10, [row(stack, 10), WORK]))), ['logging']);
    // Without an inspector there is no `consoleCall`.
    const plain = stack.replace('consoleCall > ', '');
    assert.deepEqual(ids(judge(times(10, [row(plain, 10), WORK]))), ['logging']);
  });

  it('does not make the callback of an asynchronous derivation cryptography', () => {
    const stack = 'ondone node:internal/crypto/pbkdf2:40 > finish /app/server.js:40';
    assert.deepEqual(ids(judge(times(10, [row(stack, 10), WORK]))), []);
  });

  it('makes a file that require reads the loading of a module', () => {
    const load = `${HANDLE} > require node:internal/modules/helpers:140 > Module._load node:internal/modules/cjs/loader:1000 > readFileSync node:fs:473`;
    const [finding] = judge(times(10, [row(load, 5), WORK])).findings;
    assert.deepEqual([finding?.id, finding?.where?.name], ['module-loading', 'handle']);
    // Loaded at the first use: one stretch, however long.
    assert.deepEqual(ids(judge([row(HANDLE, 1), row(load, 40), ...times(10, [row(HANDLE, 5), WORK])])), []);
  });
});

describe('cryptography', () => {
  const hash = (samples: number): Row => row(`${HANDLE} > update node:internal/crypto/hash:131 > update`, samples);

  it('whose result comes from the thread pool is not one of the loop, however long handing it over takes', () => {
    const done = row('job.ondone node:internal/crypto/sig:212', 6);
    assert.deepEqual(ids(judge(times(20, [done, row(HANDLE, 36)]))), []);
  });

  it('is found where single calls are long, not where many are short', () => {
    assert.deepEqual(ids(judge(times(40, [hash(1), row(WRITE, 6)]))), []);
    assert.deepEqual(ids(judge(times(20, [hash(6), row(WRITE, 36)]))), ['sync-crypto']);
    // A call goes on after the collector.
    const collected = times(3, [hash(2), row('(garbage collector)', 1)]);
    assert.deepEqual(ids(judge(times(20, [...collected, row(WRITE, 36)]))), ['sync-crypto']);
  });

  it('is found where keys are derived, however seldom', () => {
    const derive = row(`${HANDLE} > pbkdf2Sync node:internal/crypto/pbkdf2:61 > run`, 8);
    assert.deepEqual(ids(judge([derive, ...times(8, [WORK]), derive, ...times(8, [WORK])])), ['sync-crypto']);
  });
});

describe('what has no frame', () => {
  const rows = times(20, [row(HANDLE, 10, { line: 12 }), row(WRITE, 10)]);

  it('is read in the source: JSON', () => {
    const source = lines({ 12: 'const copy = JSON.parse(JSON.stringify(settings));' });
    const [finding] = judge(rows, { source }).findings;
    assert.deepEqual([finding?.id, finding?.where?.hotLine], ['json', 12]);
    assert.match(finding?.title ?? '', /copies by way of JSON/);
    assert.deepEqual(ids(judge(rows)), [], 'and not seen without it');
  });

  it('is read in the source: a search in a list, with the function that it is given', () => {
    const source = lines({ 12: 'return list.find((one) => one.id === id);' });
    const given = row(`${HANDLE} > (anonymous) /app/server.js:12`, 10, { line: 12 });
    const [finding] = judge(times(20, [row(HANDLE, 5, { line: 12 }), given, row(WRITE, 10)]), { source }).findings;
    assert.deepEqual([finding?.id, finding?.where?.name, finding?.where?.hotLine], ['linear-search', 'handle', 12]);
    assert.ok((finding?.share ?? 0) > 0.5);
    const text = lines({ 12: "return text.indexOf('\\n');" });
    assert.deepEqual(ids(judge(rows, { source: text })), [], 'a literal is looked for in texts');
  });

  it('is named after the function that it is written in, where V8 has inlined that into its caller', () => {
    const source = lines({ 5: 'return list.find((one) => one.id === id);' });
    const rows = times(20, [
      row(HANDLE, 10, { line: 5 }),
      row(`${HANDLE} > priceOf /app/server.js:4`, 1),
      row(`${HANDLE} > first /app/server.js:1`, 1),
      row(WRITE, 10),
    ]);
    const [finding] = judge(rows, { source }).findings;
    assert.deepEqual([finding?.id, finding?.where?.name, finding?.where?.hotLine], ['linear-search', 'priceOf', 5]);
  });

  it('is not read in lines that only a machine can have written', () => {
    const source = lines({ 12: `JSON.parse(text);${'x'.repeat(500)}` });
    assert.deepEqual(ids(judge(rows, { source })), []);
  });
});

describe('a regular expression', () => {
  const run = (source: string): Row[] => times(20, [row(`${HANDLE} > RegExp: ${source}`, 10), row(WRITE, 10)]);

  it('is found when it backtracks, and not when it only has much to read', () => {
    assert.deepEqual(ids(judge(run('^(a+)+$'))), ['regexp']);
    assert.deepEqual(ids(judge(run('\\s+$'))), ['regexp']);
    assert.deepEqual(ids(judge(run('[a-z]+'))), []);
  });

  it('is found while V8 interprets it, by the line and the name that the expression was given', () => {
    const rows = times(20, [row(HANDLE, 10, { line: 12 }), row(WRITE, 10)]);
    const source = lines({ 3: 'const WORD = /^(a+)+$/;', 12: 'return WORD.test(text);' });
    const [finding] = judge(rows, { source }).findings;
    assert.deepEqual([finding?.id, finding?.severity, finding?.where?.hotLine], ['regexp', 'high', 12]);
  });
});

describe('garbage collection', () => {
  it('is found with who makes the garbage, and not where nobody in particular does', () => {
    const make = times(20, [row(HANDLE, 6, { line: 12 }), row('(garbage collector)', 4), row(WRITE, 4)]);
    const [finding] = judge(make).findings;
    assert.deepEqual([finding?.id, finding?.where?.name], ['gc', 'handle']);
    const spread = times(20, [row(WRITE, 10), row('(garbage collector)', 4), row(HANDLE, 1)]);
    assert.deepEqual(ids(judge(spread)), []);
  });
});

describe('work that holds the loop', () => {
  it('is found where it takes 50 ms three times, and is not where it comes in turns', () => {
    const rest = [row(WRITE, 2), row('(idle)', 10)];
    assert.deepEqual(ids(judge(times(3, [row(HANDLE, 80), ...rest]))), ['blocking-work']);
    assert.deepEqual(ids(judge(times(2, [row(HANDLE, 80), row(WRITE, 2), row('(idle)', 60)]))), []);
    assert.deepEqual(ids(judge([row(HANDLE, 400), ...rest])), ['blocking-work'], 'calls without a gap');
    assert.deepEqual(ids(judge(times(24, [row(HANDLE, 10), ...rest]))), []);
  });
});

describe('a log of V8', () => {
  const deoptimisation = { functionName: 'total', url: '/app/server.js', line: 12, column: 5, kind: 'eager' as const };
  const logOf = (count: number, reason = 'wrong map', url = '/app/server.js'): V8Log => ({
    v8Version: '13.6',
    deoptimisations: [{ ...deoptimisation, url, reason, count, firstUs: 0, lastUs: 2_000_000 }],
    sites: [],
  });

  it('shows a loop from ten times on', () => {
    assert.deepEqual(ids(diagnoseLog(logOf(9))), []);
    const { findings, verdict } = diagnoseLog(logOf(10));
    assert.deepEqual([ids({ findings } as Diagnosis), verdict], [['deopt-loop'], 'findings']);
    assert.match(findings[0]?.remedy.text ?? '', /the same fields in the same order/);
  });

  it('shows none where it is slow, no loss, or of a package', () => {
    const slow = logOf(10).deoptimisations.map((one) => ({ ...one, lastUs: 60_000_000 }));
    assert.deepEqual(ids(diagnoseLog({ ...logOf(10), deoptimisations: slow })), []);
    assert.deepEqual(ids(diagnoseLog(logOf(100, "exit from OSR'd inner loop"))), []);
    assert.deepEqual(ids(diagnoseLog(logOf(100, 'wrong map', '/app/node_modules/x/index.js'))), []);
  });

  it('shows accesses with many shapes where the profile says that they matter, also as a part of the caller', () => {
    const site = { functionName: 'priceOf', url: '/app/server.js', line: 31, column: 9, access: 'LoadIC', misses: 40 };
    const log: V8Log = {
      v8Version: '13.6',
      deoptimisations: [],
      sites: [{ ...site, property: 'cents', state: 'megamorphic', shapes: 12 }],
    };
    const own = row(`${HANDLE} > priceOf /app/server.js:30`, 1);
    const rows = (line: number): Row[] => [...times(40, [row(HANDLE, 4, { line }), row(WRITE, 6)]), own];
    const source = lines({ 12: 'sum += priceOf(item);' });
    assert.deepEqual(ids(judge(rows(12), { log, source })), ['megamorphic'], 'on the line that calls it');
    assert.deepEqual(ids(judge(rows(31), { log })), ['megamorphic'], 'on its line, as a part of the caller');
    assert.deepEqual(ids(judge(rows(12), { log })), [], 'elsewhere');
  });
});
