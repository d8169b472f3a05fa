/**
 * What `drover cpu export` writes is what others read: pprof is decoded by Go's own tool, stack by stack, and written anew
 * by it for our reader; speedscope files keep to the schema that speedscope publishes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type CpuProfile, readCpuProfile } from '../../src/cpu/index.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'src', 'cli', 'main.ts');
const BUSY = join(ROOT, 'test', 'oracle', 'profiles', 'busy.mjs');
const requireHere = createRequire(import.meta.url);

interface Validator {
  (value: unknown): boolean;
  readonly errors?: unknown;
}

describe('written CPU profiles', () => {
  let folder: TemporaryFolder;
  let recorded = '';
  before(async () => {
    folder = await temporaryFolder('formats');
    recorded = join(folder.path, 'recorded.cpuprofile');
    const options = ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder.path}`];
    await run(process.execPath, [...options, '--cpu-prof-name=recorded.cpuprofile', BUSY, '1.5']);
  });
  after(() => folder[Symbol.asyncDispose]());

  const drover = async (...words: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
      maxBuffer: 1 << 28,
    });
    return stdout;
  };
  const write = async (format: string, from = recorded): Promise<string> => {
    const path = join(folder.path, `written-${format}`);
    await drover('cpu', 'export', from, '--to', format, '-o', path);
    return path;
  };

  it('are decoded by Go’s pprof with the same stacks, counts and nanoseconds', async () => {
    const { stdout } = await run('go', ['tool', 'pprof', '-raw', await write('pprof')], { maxBuffer: 1 << 28 });
    const theirs = parseRaw(stdout);
    const ours = sumStacks(await readCpuProfile(recorded));
    assert.ok(ours.size > 100, `only ${ours.size} stacks`);
    assert.deepEqual([...theirs.keys()].sort(), [...ours.keys()].sort());
    for (const [stack, { hits, ns }] of ours) {
      assert.equal(theirs.get(stack)?.hits, hits, stack);
      // Rounded per node, and a stack may be in several.
      assert.ok(Math.abs((theirs.get(stack)?.ns ?? 0) - ns) <= 5, stack);
    }
  });

  it('keep names in Go’s pprof that would be those of templates in C++', async () => {
    const names = ['<instance_members_initializer>', 'get [Symbol.iterator]', 'a::b(c)', '_ZN1aC1Ev'];
    const path = join(folder.path, 'names.collapsed');
    await writeFile(path, names.map((name) => `main;${name} 3\n`).join(''));
    const { stdout } = await run('go', ['tool', 'pprof', '-raw', await write('pprof', path)]);
    for (const name of names) assert.ok(stdout.includes(`M=1 ${name} `), `${name} in ${stdout}`);
  });

  it('are the same for our reader when Go’s pprof has written them anew', async () => {
    const again = join(folder.path, 'again.pb.gz');
    await run('go', ['tool', 'pprof', '-proto', `-output=${again}`, await write('pprof')]);
    const ours = sumStacks(await readCpuProfile(recorded));
    const theirs = sumStacks(await readCpuProfile(again));
    assert.deepEqual([...theirs.keys()].sort(), [...ours.keys()].sort());
    for (const [stack, { hits, ns }] of ours) {
      assert.equal(theirs.get(stack)?.hits, hits, stack);
      assert.ok(Math.abs((theirs.get(stack)?.ns ?? 0) - ns) <= 5, stack);
    }
  });

  it('keep to speedscope’s schema, with an order in time and without', async () => {
    const { default: Ajv } = requireHere('ajv') as {
      readonly default: new (options: object) => { compile(schema: unknown): Validator };
    };
    const schemaPath = join(
      import.meta.dirname,
      'node_modules',
      'speedscope',
      'dist',
      'release',
      'file-format-schema.json',
    );
    const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(await readFile(schemaPath, 'utf8')));
    for (const from of [recorded, await write('pprof'), await write('collapsed')]) {
      const file = JSON.parse(await readFile(await write('speedscope', from), 'utf8')) as {
        profiles: { samples: number[][]; weights: number[]; endValue: number }[];
      };
      assert.ok(validate(file), `${from}: ${JSON.stringify(validate.errors)}`);
      const [profile] = file.profiles;
      const sum = profile?.weights.reduce((total, weight) => total + weight, 0) ?? 0;
      assert.ok(Math.abs(sum - (profile?.endValue ?? 0)) < 1, `${sum} of ${profile?.endValue}`);
      // A schema that lets everything through would show nothing.
      assert.ok(!validate({ ...file, profiles: [{ type: 'sampled' }] }));
    }
  });

  it('say the same about the program in every format', async () => {
    interface Top {
      readonly durationMs: number;
      readonly functions: readonly {
        readonly name: string;
        readonly url: string;
        readonly selfMs: number;
        readonly totalMs: number;
        readonly category: string;
      }[];
    }
    const top = async (file: string): Promise<Top> => JSON.parse(await drover('cpu', 'top', file, '--json')) as Top;
    const wanted = await top(recorded);
    assert.ok(wanted.functions.some(({ name, category }) => name === 'fibonacci' && category === 'application'));
    for (const format of ['pprof', 'speedscope', 'collapsed', 'cpuprofile']) {
      const found = await top(await write(format));
      assert.ok(Math.abs(found.durationMs - wanted.durationMs) < 1, format);
      for (const fn of wanted.functions.slice(0, 20)) {
        const same = found.functions.find(
          ({ name, url, selfMs }) => name === fn.name && url === fn.url && Math.abs(selfMs - fn.selfMs) < 0.5,
        );
        assert.ok(same !== undefined, `${fn.name} in ${format}`);
        assert.ok(Math.abs(same.totalMs - fn.totalMs) < 0.5, `total of ${fn.name} in ${format}`);
        assert.equal(same.category, fn.category, `category of ${fn.name} in ${format}`);
      }
    }
  });
});

type Stacks = Map<string, { hits: number; ns: number }>;

/** What Go prints: samples with numbers of locations, innermost first, then what lies at each. */
function parseRaw(text: string): Stacks {
  const [, samples = '', locations = ''] =
    /Samples:\n([\s\S]*?)\nLocations\n([\s\S]*?)(?:\nMappings|$)/.exec(text) ?? [];
  const placeOf = new Map<string, string>();
  for (const line of locations.split('\n')) {
    const [, id, place] = /^\s*(\d+): 0x0 M=\d+ (.*) s=\d+(?:\(\))?$/.exec(line) ?? [];
    if (id !== undefined && place !== undefined) placeOf.set(id, place);
  }
  const stacks: Stacks = new Map();
  for (const line of samples.split('\n').slice(1)) {
    const [, hits, ns, ids = ''] = /^\s*(\d+)\s+(\d+): ([\d ]*)$/.exec(line) ?? [];
    if (hits === undefined) continue;
    const stack = ids
      .trim()
      .split(' ')
      .map((id) => placeOf.get(id) ?? `no location ${id}`);
    add(stacks, stack.reverse().join('\n'), Number(hits), Number(ns));
  }
  return stacks;
}

function sumStacks({ nodeCount, parent, functionOf, functions, selfUs, hits }: CpuProfile): Stacks {
  const stacks: Stacks = new Map();
  for (let node = 0; node < nodeCount; node += 1) {
    if (selfUs[node] === 0 && hits[node] === 0) continue;
    const stack: string[] = [];
    for (let at = node; at > 0; at = parent[at] ?? 0) {
      const fn = functions[functionOf[at] ?? 0];
      stack.push(`${fn?.name} ${fn?.url}:${fn?.line}`);
    }
    // A stack of nothing but the root is written as one of it.
    add(
      stacks,
      stack.length === 0 ? '(root) :0' : stack.reverse().join('\n'),
      hits[node] ?? 0,
      (selfUs[node] ?? 0) * 1000,
    );
  }
  return stacks;
}

function add(stacks: Stacks, stack: string, hits: number, ns: number): void {
  const known = stacks.get(stack) ?? { hits: 0, ns: 0 };
  stacks.set(stack, { hits: known.hits + hits, ns: known.ns + ns });
}
