/**
 * Runs the test files of one suite, in a process of its own so that nothing a test does can take the runner along.
 * Arguments: isolation, concurrency, timeout in milliseconds, files. What happened goes to descriptor 3, one JSON
 * document a line; stdout and stderr stay with the tests.
 */
import { writeSync } from 'node:fs';
import { run } from 'node:test';

export interface TestVerdict {
  readonly name: string;
  readonly file: string | null;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped, or the whole error with its cause. */
  readonly detail: string;
  readonly durationMs: number;
}

async function runFiles(isolation: 'none' | 'process', concurrency: number, timeout: number, files: string[]) {
  // Node refuses `concurrency` without isolation: there is only one process.
  const events = run(
    isolation === 'none' ? { files, isolation, timeout } : { files, isolation, timeout, concurrency, forceExit: false },
  );
  const path: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:start') path[event.data.nesting] = event.data.name;
    if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      (event.type === 'test:stdout' ? process.stdout : process.stderr).write(event.data.message);
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    // A suite is only as good as its tests: count it when it failed by itself (a hook, a broken import), never else.
    const isSuite = data.details.type === 'suite';
    const error = event.type === 'test:fail' ? event.data.details.error : null;
    if (isSuite && !(error !== null && isOwnFailure(error))) continue;
    // Node reports a file without tests as one test that passed.
    if (error === null && data.nesting === 0 && files.some((file) => data.name.endsWith(file))) {
      record({
        name: data.name,
        file: data.file ?? null,
        outcome: 'failed',
        detail: 'contains no test',
        durationMs: 0,
      });
      continue;
    }
    const skipped = data.skip ?? data.todo;
    record({
      name: [...path.slice(0, data.nesting), data.name].join(' › '),
      file: data.file ?? null,
      outcome: skipped !== undefined && skipped !== false ? 'skipped' : error === null ? 'passed' : 'failed',
      detail: error === null ? String(skipped === true ? 'no reason given' : (skipped ?? '')) : describeError(error),
      durationMs: data.details.duration_ms,
    });
  }
}

const record = (verdict: TestVerdict): void => void writeSync(3, `${JSON.stringify(verdict)}\n`);

/** False for "2 subtests failed", which repeats what the subtests said. */
function isOwnFailure(error: Error): boolean {
  return (error as Error & { failureType?: string }).failureType !== 'subtestsFailed';
}

function describeError(error: Error): string {
  const cause = error.cause;
  if (cause instanceof Error) return `${cause.stack ?? cause.message}${describeComparison(cause)}`;
  if (typeof cause === 'string') return cause;
  return cause === undefined ? (error.stack ?? error.message) : `${error.message}: ${JSON.stringify(cause)}`;
}

/** Errors of other processes have lost their message's diff; the values are still there. */
function describeComparison(error: Error & { actual?: unknown; expected?: unknown }): string {
  if (!('actual' in error) || error.message.includes('\n')) return '';
  return `\n  actual:   ${JSON.stringify(error.actual)}\n  expected: ${JSON.stringify(error.expected)}`;
}

if (import.meta.main) {
  const [isolation, concurrency, timeout, ...files] = process.argv.slice(2);
  await runFiles(isolation === 'none' ? 'none' : 'process', Number(concurrency), Number(timeout), files);
}
