/**
 * `npm test [-- <suite>…]`: runs the suites, as many beside each other as two processors bear; a line each, with the whole output of
 * what failed.
 * The last line is `N passed, N failed, N skipped`. With `CI=true` a skip is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { provide } from './provisions.ts';
import type { TestVerdict } from './run-suite.ts';
import { type Suite, SUITES } from './suites.ts';
import { runInLanes } from './support/lanes.ts';

const ROOT = join(import.meta.dirname, '..');
/** Test files at a time, as many as the machines that run this have processors. */
const LANES = 2;
const SKIP_IS_FAILURE = process.env['CI'] === 'true';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface SuiteResult {
  readonly verdicts: readonly TestVerdict[];
  readonly output: string;
  /** The exit status of the process that ran the files; a test file that cannot be loaded has no verdicts. */
  readonly crashed: string | null;
  readonly seconds: number;
}

const counts = { passed: 0, failed: 0, skipped: 0 };
function selectSuites(names: readonly string[]): readonly Suite[] {
  const unknown = names.find((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`no suite called ${unknown}; there are ${SUITES.map(({ name }) => name).join(', ')}\n`);
    process.exit(2);
  }
  return names.length === 0 ? SUITES : SUITES.filter(({ name }) => names.includes(name));
}

/** The command runs what was built: without this, an edited source would be tested in its old form. */
function build(): void {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { stdio: 'inherit' });
  if (status === 0) return;
  say('\n0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

/** Installs what a suite needs; false when that failed. Before any suite runs, because nothing is read from them meanwhile. */
function prepare(suite: Suite): boolean {
  const announce = (line: string): void => say(`${suite.name.padEnd(12)} ${line}`);
  try {
    for (const lack of provide(suite, ROOT, announce)) announce(`${lack}: tests that need it are skipped`);
    return true;
  } catch (error) {
    counts.failed += 1;
    announce(`FAILED ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function runOne(suite: Suite): Promise<void> {
  const files = globSync([...suite.files], { cwd: ROOT, exclude: isInstalled }).toSorted();
  if (files.length > 0) return report(suite, await runFiles(suite, files));
  counts.failed += 1;
  say(`${suite.name.padEnd(12)} FAILED no tests in ${suite.files.join(', ')}`);
}

const isInstalled = (path: string): boolean => path.split('/').includes('node_modules');

async function runFiles(suite: Suite, files: readonly string[]): Promise<SuiteResult> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'run-suite.ts'),
      suite.isolation,
      String(suite.concurrency),
      String(suite.testTimeoutMs),
      ...files,
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, NODE_ENV: 'test' } },
  );
  const verdicts: TestVerdict[] = [];
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
  const lines = createInterface({ input: child.stdio[3] as Readable });
  lines.on('line', (line) => verdicts.push(JSON.parse(line) as TestVerdict));
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => resolve([code, by]));
  });
  const hasFailures = verdicts.some(({ outcome }) => outcome === 'failed');
  // Node exits with 1 when a test failed, which the verdicts already tell; anything else is a broken run.
  const crashed = status === 0 || (status === 1 && hasFailures) ? null : `ended with ${signal ?? String(status)}`;
  return {
    verdicts,
    output: Buffer.concat(output).toString('utf8'),
    crashed: crashed ?? (verdicts.length === 0 ? 'ran no test' : null),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

function report(suite: Suite, { verdicts, output, crashed, seconds }: SuiteResult): void {
  const count = (outcome: TestVerdict['outcome']): number => verdicts.filter((test) => test.outcome === outcome).length;
  const failed = count('failed') + (crashed === null ? 0 : 1);
  counts.passed += count('passed');
  counts.failed += failed;
  counts.skipped += count('skipped');
  const skips = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  say(`${suite.name.padEnd(12)} ${count('passed')} passed, ${failed} failed${skips}   ${seconds.toFixed(1)} s`);
  for (const { name, file, detail } of verdicts.filter(({ outcome }) => outcome === 'skipped')) {
    say(`  skipped: ${name} (${shorten(file)}): ${detail}`);
  }
  for (const { name, file, detail } of verdicts.filter(({ outcome }) => outcome === 'failed')) {
    say(`\n  FAILED: ${name} (${shorten(file)})\n${indent(detail)}`);
  }
  if (crashed !== null) say(`\n  FAILED: the suite ${crashed}`);
  if (failed > 0 && output !== '') say(`\n  output of ${suite.name}:\n${indent(output.trimEnd())}\n`);
}

const shorten = (file: string | null): string => (file === null ? 'unknown file' : file.replace(`${ROOT}/`, ''));
const indent = (text: string): string => text.replaceAll(/^/gm, '    ');

const suites = selectSuites(process.argv.slice(2));
build();
await runInLanes(suites.filter(prepare), LANES, ({ lanes }) => lanes, runOne);
say('');
say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || (SKIP_IS_FAILURE && counts.skipped > 0) ? 1 : 0;
