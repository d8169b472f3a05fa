/** The commands on files of heaps, as their users run them, on snapshots that programs wrote a moment ago. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type {
  AnalyzeDocument,
  DiffDocument,
  PathsDocument,
  QueryDocument,
  StringsDocument,
} from '../../src/heap/index.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { runProgram } from './support/snapshots.ts';

describe('the heap commands', () => {
  let drover: Drover;
  let leaking: string[];
  let bounded: string[];
  const heap = async (...words: string[]) => drover.run(['heap', ...words]);
  const json = async <Document>(...words: string[]): Promise<Document> => {
    const { stdout, stderr } = await heap(...words, '--json');
    assert.equal(stderr, '');
    return JSON.parse(stdout) as Document;
  };
  before(async () => {
    drover = await openDrover();
    const files = (mode: string): string[] =>
      [1, 2, 3].map((number) => join(drover.home, `${mode}-${number}.heapsnapshot`));
    [leaking, bounded] = [files('leaking'), files('bounded')];
    await runProgram('shop.mjs', ['leaking', ...leaking], process.execPath, ['--expose-gc']);
    await runProgram('shop.mjs', ['bounded', ...bounded], process.execPath, ['--expose-gc']);
  });
  after(async () => drover?.[Symbol.asyncDispose]());

  it('diff: a leak is exit 1, with the holder, its place and the remedy first', async () => {
    const { code, stdout } = await heap('diff', ...leaking);
    assert.equal(code, 1);
    const [first = ''] = stdout.split('\n');
    assert.match(first, /^LEAK \(confidence .*%\): /);
    assert.match(first, /`Order`/);
    assert.match(first, /`recent`/);
    assert.match(first, /shop\.mjs:\d+/);
    assert.match(stdout, /pattern: collection/);
    assert.match(stdout, /\n {3}remedy {3}\S/);
  });

  it('diff --json: has what programs rely on, and no more than one document', async () => {
    const { code, stdout } = await heap('diff', ...leaking, '--json');
    assert.equal(code, 1);
    const document = JSON.parse(stdout) as DiffDocument;
    assert.equal(document.verdict, 'leak');
    assert.ok(document.confidence > 0.5 && document.confidence <= 1);
    const [suspect] = document.suspects;
    assert.ok(suspect !== undefined);
    assert.equal(suspect.rank, 1);
    assert.equal(suspect.pattern, 'collection');
    assert.equal(suspect.className, 'Order');
    assert.deepEqual(suspect.counts, [1000, 2000, 3000]);
    assert.ok(suspect.retainedBytes > 100_000);
    assert.match(suspect.holder, /recent/);
    assert.match(suspect.remedy, /\w/);
    assert.ok(suspect.path.length > 1);
    for (const step of suspect.path) assert.deepEqual([typeof step.edge, typeof step.node], ['string', 'string']);
    assert.ok(suspect.path.some(({ location }) => /shop\.mjs:\d+/.test(location ?? '')));
    assert.ok(document.classes.some(({ name, counts }) => name === 'Order' && counts.at(-1) === 3000));
  });

  it('diff: a bounded map is no leak and exit 0', async () => {
    const { code, stdout, stderr } = await heap('diff', ...bounded);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^NO LEAK \(confidence /);
  });

  it('diff: what cannot be compared is inconclusive, exit 0 with a note, and 1 with --strict', async () => {
    const pair = [leaking[0] ?? '', bounded[1] ?? ''];
    const { code, stdout, stderr } = await heap('diff', ...pair);
    assert.equal(code, 0);
    assert.match(stdout, /^INCONCLUSIVE /);
    assert.match(stderr, /^Inconclusive: /);
    assert.equal((await heap('diff', ...pair, '--strict')).code, 1);
  });

  it('diff: writes one HTML file, Markdown or JSON by the name of the output', async () => {
    const output = (name: string): string => join(drover.home, name);
    for (const name of ['r.html', 'r.md', 'r.json']) {
      const { code, stdout, stderr } = await heap('diff', ...leaking, '-o', output(name));
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^Wrote .* \(.*\)\.\n$/);
    }
    const [html, markdown, document] = await Promise.all(
      ['r.html', 'r.md', 'r.json'].map(async (name) => readFile(output(name), 'utf8')),
    );
    assert.match(html ?? '', /^<!doctype html>[\s\S]*<strong>Leak<\/strong>[\s\S]*<code>Order<\/code>/);
    assert.match(markdown ?? '', /^🔴 \*\*Leak\*\*/);
    assert.match(markdown ?? '', /\| `Order` \| 1,000 → 2,000 → 3,000 \|/);
    assert.equal((JSON.parse(document ?? '') as DiffDocument).verdict, 'leak');
  });

  it('analyze --json: nodes, edges, bytes, classes and suspects', async () => {
    const document = await json<AnalyzeDocument>('analyze', leaking[2] ?? '');
    assert.ok((document.nodes ?? 0) > 10_000 && (document.edges ?? 0) > (document.nodes ?? 0));
    const order = document.classes.find(({ name }) => name === 'Order');
    assert.equal(order?.count, 3000);
    assert.ok(order.retainedBytes > order.shallowBytes && order.shallowBytes > 3000 * 16);
    assert.ok(document.totalBytes > order.retainedBytes);
    const own = document.classes.reduce((sum, { shallowBytes }) => sum + shallowBytes, 0);
    assert.ok(Math.abs(own - document.totalBytes) / document.totalBytes < 0.05, `${own} of ${document.totalBytes}`);
    assert.ok(document.suspects.some(({ className, basis }) => className === 'Order' && basis === 'size'));
  });

  it('analyze: reads what is compressed', async () => {
    const path = join(drover.home, 'packed.heapsnapshot.gz');
    await writeFile(path, gzipSync(await readFile(leaking[0] ?? '')));
    const plain = await json<AnalyzeDocument>('analyze', leaking[0] ?? '');
    assert.deepEqual((await json<AnalyzeDocument>('analyze', path)).classes, plain.classes);
  });

  it('paths: who keeps the objects of a class, in one cluster', async () => {
    const document = await json<PathsDocument>('paths', leaking[2] ?? '', '--class', 'Order');
    assert.equal(document.objects, 3000);
    const [first] = document.paths;
    assert.equal(first?.objects, 3000);
    const text = first.path.map(({ edge, node }) => `${edge} ${node}`).join(' > ');
    assert.match(text, /\.recent Map/);
    assert.match(text, /Order$/);
    const one = await json<PathsDocument>('paths', leaking[2] ?? '', '--id', `@${first.exampleId}`);
    assert.equal(one.objects, 1);
    assert.equal(one.paths[0]?.path.at(-1)?.id, first.exampleId);
  });

  it('query and paths: know what `diff` calls strings, functions and numbers', async () => {
    const [file = ''] = leaking;
    const { classes } = await json<AnalyzeDocument>('analyze', file);
    const count = (...names: string[]): number =>
      classes.filter(({ name }) => names.includes(name)).reduce((sum, row) => sum + row.count, 0);
    const total = async (name: string): Promise<number> =>
      (await json<QueryDocument>('query', file, '--class', name, '--top', '1')).total;
    assert.equal(await total('string'), count('(string)', '(concatenated string)', '(sliced string)'));
    assert.equal(await total('function'), count('Function'));
    assert.equal((await heap('paths', file, '--class', 'number')).code, 0);
  });

  it('query: by class, by id with what is around it, by size, and by what retains', async () => {
    const file = leaking[2] ?? '';
    const books = await json<QueryDocument>('query', file, '--class', 'OrderBook');
    assert.equal(books.total, 1);
    const [book] = books.objects;
    assert.ok(book !== undefined && book.retainedBytes > 100_000);
    const around = await json<QueryDocument>('query', file, '--id', String(book.id));
    assert.ok(around.references?.some(({ edge, object }) => edge === '.recent' && object.className === 'Map'));
    assert.ok((around.retainers ?? []).some(({ retains }) => retains));
    const kept = await json<QueryDocument>('query', file, '--retained-by', String(book.id), '--class', 'Order');
    assert.equal(kept.total, 3000);
    assert.equal(kept.objects.length, 1000);
    const large = await json<QueryDocument>('query', file, '--min-size', '100KB', '--class', 'OrderBook');
    assert.equal(large.total, 1);
    assert.equal((await json<QueryDocument>('query', file, '--min-size', '1GB')).total, 0);
  });

  it('strings: counts duplicates and what they waste', async () => {
    const path = join(drover.home, 'secrets.heapsnapshot');
    await runProgram('secrets-app.mjs', [path]);
    const document = await json<StringsDocument>('strings', path);
    assert.ok(document.strings > 1000);
    const flat = document.duplicates.filter(({ sample }) => sample.startsWith('SECRETflat'));
    assert.equal(flat.length, 50);
    for (const { count, bytes, wastedBytes, length, sample } of flat) {
      assert.ok(count >= 2);
      assert.equal(wastedBytes, (bytes / count) * (count - 1));
      assert.equal(length, sample.length);
    }
    assert.ok(document.wastedBytes >= flat.reduce((sum, { wastedBytes }) => sum + wastedBytes, 0));
  });

  it('are refused with words and a code, and never with 1, which is a leak', async () => {
    const [file = ''] = leaking;
    const cut = join(drover.home, 'cut.heapsnapshot');
    await writeFile(cut, (await readFile(file)).subarray(0, 200_000));
    const cpuProfile = join(drover.home, 'api.cpuprofile');
    await writeFile(cpuProfile, '{"nodes":[{"id":1');
    const before = await readFile(file);
    const cases: readonly (readonly [code: number, name: string, ...words: string[]])[] = [
      [2, 'DROVER_FILE_UNREADABLE', 'diff', file, join(drover.home, 'nowhere')],
      [2, 'DROVER_FILE_UNREADABLE', 'analyze', drover.home],
      [2, 'DROVER_FILE_UNREADABLE', 'analyze', file, '-o', join(drover.home, 'no/such/folder.json')],
      [2, 'DROVER_FILE_UNREADABLE', 'analyze', file, '-o', file, '--format', 'json'],
      [2, 'DROVER_FILE_INVALID', 'diff', file, cut],
      [2, 'DROVER_FILE_INVALID', 'diff', file, cpuProfile],
      [2, 'DROVER_USAGE', 'diff', file, file, '--memory-limit', '99999999999999999999GB'],
      [2, 'DROVER_FILE_INVALID', 'analyze', join(import.meta.dirname, 'commands.test.ts')],
      [2, 'DROVER_MEMORY_LIMIT', 'diff', ...leaking, '--memory-limit', '70MB'],
      [3, 'DROVER_OBJECT_UNKNOWN', 'paths', file, '--class', 'Ordre'],
      [3, 'DROVER_OBJECT_UNKNOWN', 'query', file, '--id', '999999999'],
      [2, 'DROVER_USAGE', 'paths', file],
      [2, 'DROVER_USAGE', 'query', file],
      [2, 'DROVER_USAGE', 'analyze', file, '--format', 'pdf'],
      [2, 'DROVER_USAGE', 'analyze', file, '--memory-limit', 'lots'],
      [2, 'DROVER_USAGE', 'diff', file],
      [2, 'DROVER_NOT_AVAILABLE', 'snapshot', 'shop'],
    ];
    for (const [code, name, ...words] of cases) {
      const error = await drover.refusal(code, ['heap', ...words]);
      assert.equal(error.code, name, words.join(' '));
    }
    assert.ok(before.equals(await readFile(file)), 'the snapshot is as it was');
    const wrongKind = await drover.refusal(2, ['heap', 'query', cpuProfile, '--id', '3']);
    assert.match(wrongKind.message, /api\.cpuprofile: this is a CPU profile, which `drover cpu top` reads/);
    const { message } = await drover.refusal(2, ['heap', 'analyze', cut]);
    assert.match(message, /cut\.heapsnapshot: at byte [\d,]+: /);
  });

  it(
    'say so with 2, and in words, when the disk below standard output is full',
    { skip: process.platform !== 'linux' },
    () => {
      const full = openSync('/dev/full', 'w');
      try {
        const command = [join(import.meta.dirname, '../../bin/drover'), 'heap', 'diff', ...leaking];
        const { status, stderr } = spawnSync(process.execPath, command, {
          stdio: ['ignore', full, 'pipe'],
          encoding: 'utf8',
        });
        assert.deepEqual([status, stderr], [2, 'drover: standard output cannot be written (ENOSPC).\n']);
      } finally {
        closeSync(full);
      }
    },
  );

  it('are ended by Ctrl-C with 130, and leave nothing behind', { skip: process.platform !== 'linux' }, async () => {
    const fifo = join(drover.home, 'slow.heapsnapshot');
    // Reading it takes long enough to be interrupted: the same snapshot again and again, compressed.
    const snapshot = await readFile(leaking[2] ?? '');
    const end = snapshot.lastIndexOf('"strings":[') + '"strings":['.length;
    const strings = Buffer.from('"padding padding padding",'.repeat(4_000_000));
    await writeFile(
      fifo,
      gzipSync(Buffer.concat([snapshot.subarray(0, end), strings, snapshot.subarray(end)]), { level: 1 }),
    );
    const child = drover.spawn(['heap', 'analyze', fifo, '-o', join(drover.home, 'never.html')]);
    const childrenOf = (pid: number): string[] =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    const [engine] = await eventually('the engine runs', () => {
      const found = childrenOf(child.pid ?? 0);
      return found.length > 0 && found;
    });
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.ok(!readdirSync('/proc').includes(engine ?? ''), 'the engine is gone');
    await assert.rejects(stat(join(drover.home, 'never.html')), { code: 'ENOENT' });
  });
});
