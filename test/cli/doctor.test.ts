/** `drover doctor FILE`: kinds of files, exit codes, what people and programs are told. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Harness, openHarness } from './harness.ts';

/** A service that reads a file for each request, in the form that Node writes; the function is where the file says. */
const profile = (): string => {
  const frame = (
    id: number,
    functionName: string,
    url: string,
    lineNumber: number,
    children: number[] = [],
  ): object => ({
    id,
    callFrame: { functionName, scriptId: '1', url, lineNumber, columnNumber: 0 },
    hitCount: 0,
    children,
  });
  const samples = Array.from({ length: 400 }, (_, at) => (at % 4 === 0 ? 4 : at % 4 === 1 ? 5 : 3));
  return JSON.stringify({
    nodes: [
      frame(1, '(root)', '', -1, [2]),
      frame(2, 'emit', 'node:events', 488, [3]),
      frame(3, 'writev', '', -1),
      frame(4, 'handle', 'file:///app/server.js', 9, [5]),
      frame(5, 'readFileSync', 'node:fs', 472),
    ].map((node, at) => (at === 1 ? { ...node, children: [3, 4] } : node)),
    startTime: 0,
    endTime: 400_000,
    samples,
    timeDeltas: samples.map(() => 1000),
  });
};

describe('drover doctor', () => {
  let harness: Harness;
  const write = (name: string, content: string | Buffer): string => {
    writeFileSync(join(harness.directory, name), content);
    return name;
  };
  before(async () => {
    harness = await openHarness();
  });
  after(async () => harness[Symbol.asyncDispose]());

  it('says first how many things are to be changed, then where, why and what to do', async () => {
    const { code, out } = await harness.drover('doctor', write('api.cpuprofile', profile()));
    assert.equal(code, 0);
    const [verdict] = out.split('\n');
    assert.equal(verdict, 'one thing to change');
    assert.match(out, /1\. handle waits for the disk on the event loop \(readFileSync\) medium sync-io/);
    assert.match(out, /at \/app\/server\.js:10 \(handle\)/);
    assert.match(out, /what to change: Read what does not change once/);
    assert.match(out, /expected gain: [\d.]+ % to \d+ % of the busy time/);
  });

  it('shows a place whose URL is none as it is', async () => {
    const odd = profile().replace('file:///app/server.js', 'file:///app/50%off/server.js');
    const { code, out } = await harness.drover('doctor', write('odd.cpuprofile', odd));
    assert.equal(code, 0);
    assert.match(out, /at file:\/\/\/app\/50%off\/server\.js:10 \(handle\)/);
  });

  it('gives programs one document, from compressed files as well', async () => {
    const file = write('api.cpuprofile.gz', gzipSync(profile()));
    const { out } = await harness.drover('doctor', file, '--json');
    const document = JSON.parse(out) as {
      verdict: string;
      findings: { id: string; where: object; share: number }[];
      runTime: { samples: number };
    };
    assert.equal(document.verdict, 'findings');
    assert.deepEqual(
      document.findings.map(({ id, where }) => ({ id, where })),
      [{ id: 'sync-io', where: { name: 'handle', url: 'file:///app/server.js', line: 10, hotLine: null } }],
    );
    assert.ok(document.runTime.samples > 300);
  });

  it('exits with 1 for findings where that is asked for, and with 0 for health', async () => {
    const file = write('strict.cpuprofile', profile());
    assert.equal((await harness.drover('doctor', file, '--strict')).code, 1);
    const healthy = write('healthy.cpuprofile', profile().replaceAll('readFileSync', 'readFile'));
    const { code, out } = await harness.drover('doctor', healthy, '--strict');
    assert.equal(code, 0);
    assert.match(out, /^healthy: nothing found/);
  });

  it('reads a log of V8, alone and beside a profile', async () => {
    const deopt = (at: number): string =>
      `code-deopt,${at * 1000},96,0x1000,4,12,deopt-eager,<file:///app/server.js:12:5>,wrong map`;
    const log = ['v8-version,13,6,233,17,-node.1,0', ...Array.from({ length: 30 }, (_, at) => deopt(at))].join('\n');
    const file = write('v8.log', `${log}\n`);
    assert.match((await harness.drover('doctor', file)).out, /V8 optimises .* and throws it away again and again/);
    const both = await harness.drover('doctor', write('both.cpuprofile', profile()), '--log', file, '--json');
    const { findings } = JSON.parse(both.out) as { findings: { id: string }[] };
    assert.deepEqual(findings.map(({ id }) => id).toSorted(), ['deopt-loop', 'sync-io']);
  });

  it('refuses what it cannot judge, and says what it is', async () => {
    const nothing = await harness.drover('doctor', 'missing.cpuprofile');
    assert.deepEqual([nothing.code, /missing\.cpuprofile/.test(nothing.err)], [2, true]);
    const text = await harness.drover('doctor', write('notes.txt', 'hello, this is a letter and no profile\n'));
    assert.equal(text.code, 2);
    assert.match(text.err, /notes\.txt/);
    const app = await harness.drover('doctor', 'shop');
    assert.equal(app.code, 2);
    assert.match(app.err, /There is no file "shop" here, and `doctor <app>` is not available/);
  });
});
