/**
 * Small real CPU profiles in every format, so that many thousands of them can be damaged and read: recorded by every
 * supported Node, written by this project's writers, and what perf and V8's log look like.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ExportFormat, exportProfile, readCpuProfile } from '../../src/cpu/index.ts';
import { listNodes } from '../support/nodes.ts';
import { temporaryFolder } from '../support/temporary.ts';
import type { Original } from './mutate.ts';

const PROGRAM = `
  const inspector = require('node:inspector');
  const session = new inspector.Session();
  const post = (method, params) => new Promise((resolve, reject) => session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))));
  const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
  const parse = (text) => JSON.parse(text).map(({ id }) => id).join().replace(/(\\d)1/g, '$1');
  (async () => {
    session.connect();
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: 400 });
    await post('Profiler.start');
    const text = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id })));
    for (const end = performance.now() + 60; performance.now() < end;) {
      fibonacci(12);
      parse(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { profile } = await post('Profiler.stop');
    require('node:fs').writeFileSync(process.argv[2], JSON.stringify(profile));
  })();
`;

/** Apart from the other: V8's log ends where its profiler begins. */
const LOGGED = `
  function read(o) { return o.v }
  const add = (a, b) => a + b;
  const shapes = Array.from({ length: 9 }, (_, i) => ({ ['k' + i]: 1, v: i }));
  let sum = 0;
  for (let i = 0; i < 300_000; i += 1) sum = add(sum, read(shapes[i < 200_000 ? 0 : i % 9]));
  for (let i = 0; i < 1000; i += 1) sum = add(sum, 'text').length;
`;

/** What `perf script` printed for Node 24 with --perf-basic-prof, cut down. */
const PERF = Array.from(
  { length: 8 },
  (_, at) => `node 22124  1644.1${at}4872:    1001001 cpu-clock:ppp: 
	ffffffff821c76ff mas_data_end+0x1f ([kernel.kallsyms])
	         2226266 v8::internal::JsonParser<unsigned char>::ParseJson+0x356 (/usr/bin/node)
	    7fc69f7c6ac0 JS:*garbage /app/mix.cjs:12:17+0x12 (/tmp/perf-22124.map)
	    7fc69f7c6ac1 JS:^ node:internal/modules/cjs/loader:1666:36+0x0 (/tmp/perf-22124.map)
	    7fc69f7c6ac${at} Builtins_InterpreterEntryTrampoline+0x${at} (/usr/bin/node)
	               1 [unknown] ([unknown])

`,
).join('');

/** Lines of V8's log that are about the program; the thousands about built-in code say nothing here. */
const TELLING = /^(?:v8-version|code-deopt|code-creation,JS,.*program\.cjs|LoadIC,.*,v,)/;

export async function takeSmallProfiles(): Promise<Original[]> {
  await using folder = await temporaryFolder('hostile');
  const originals: Original[] = [];
  const program = join(folder.path, 'program.cjs');
  const recorder = join(folder.path, 'recorder.cjs');
  writeFileSync(program, LOGGED);
  writeFileSync(recorder, PROGRAM);
  for (const { name, path, major } of listNodes()) {
    const file = join(folder.path, `${major}.cpuprofile`);
    const log = join(folder.path, `${major}.log`);
    const logging = ['--log-deopt', '--log-ic', `--logfile=${log}`, '--no-logfile-per-isolate'];
    execFileSync(path, [recorder, file], { stdio: 'ignore' });
    execFileSync(path, [...logging, program], { stdio: 'ignore' });
    const lines = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => TELLING.test(line));
    originals.push(toOriginal(`cpuprofile of ${name}`, readFileSync(file)));
    originals.push(toOriginal(`log of ${name}`, Buffer.from(lines.slice(0, 150).join('\n'))));
  }
  const profile = await readCpuProfile(join(folder.path, '24.cpuprofile'));
  for (const format of ['speedscope', 'collapsed', 'pprof'] satisfies ExportFormat[]) {
    const bytes = Buffer.concat([...exportProfile(profile, format)].map((part) => Buffer.from(part as string)));
    originals.push(toOriginal(format, format === 'pprof' ? gunzipSync(bytes) : bytes));
  }
  originals.push(toOriginal('speedscope evented', Buffer.from(JSON.stringify(EVENTED))));
  originals.push(toOriginal('head of nodes in nodes', Buffer.from(JSON.stringify(NESTED))));
  originals.push(toOriginal('perf', Buffer.from(PERF)));
  return originals;
}

const EVENTED = {
  shared: { frames: Array.from({ length: 9 }, (_, at) => ({ name: `f${at}`, file: 'a.js', line: at })) },
  profiles: [0, 1].map((index) => ({
    type: 'evented',
    name: `thread ${index}`,
    unit: 'milliseconds',
    startValue: 0,
    endValue: 100,
    events: Array.from({ length: 18 }, (_, at) => ({
      type: at < 9 ? 'O' : 'C',
      at: at * 5,
      frame: at < 9 ? at : 17 - at,
    })),
  })),
};

const nest = (depth: number): object => ({
  functionName: `f${depth}`,
  url: '/app/a.js',
  lineNumber: depth,
  columnNumber: 1,
  hitCount: 1,
  children: depth === 0 ? [] : [nest(depth - 1)],
  id: depth + 1,
});
const NESTED = {
  head: nest(9),
  startTime: 1,
  endTime: 2,
  samples: [1, 2, 3, 4, 10],
  timestamps: [1e6, 1.1e6, 1.2e6, 1.3e6, 1.9e6],
};

/** Borders: what ends sections in text; in pprof the first bytes of its fields are as good as any. */
function toOriginal(name: string, bytes: Uint8Array): Original {
  const borders: number[] = [];
  const text = Buffer.from(bytes).toString('latin1');
  for (const match of text.matchAll(
    /"(?:nodes|samples|timeDeltas|shared|frames|profiles|events|weights|head|endTime|timestamps)":|\n(?=\S)/g,
  ))
    borders.push(match.index, match.index + match[0].length);
  borders.push(bytes.length);
  return { name, bytes: Uint8Array.from(bytes), borders };
}
