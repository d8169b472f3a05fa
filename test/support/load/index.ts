/** Starts a load in a process of its own and follows it. The only file of this folder that tests import. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { completeSpec, type LoadLine, type LoadReport, type LoadSpec } from './spec.ts';

export { LOAD_MODES, type LoadMode, type LoadReport, type LoadSpec, type LostRequest } from './spec.ts';

/** Begins a load; resolves once its process runs. */
export async function startLoad(wish: Partial<LoadSpec> & Pick<LoadSpec, 'mode' | 'port'>): Promise<RunningLoad> {
  const load = new RunningLoad(completeSpec(wish));
  await load.started;
  return load;
}

export class RunningLoad {
  readonly spec: LoadSpec;
  /** Resolves when the load ended, by itself or by {@link stop}. */
  readonly report: Promise<LoadReport>;
  readonly started: Promise<void>;
  answered = 0;
  lost = 0;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();

  constructor(spec: LoadSpec) {
    this.spec = spec;
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), JSON.stringify(spec)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    const started = Promise.withResolvers<void>();
    const report = Promise.withResolvers<LoadReport>();
    this.started = started.promise;
    this.report = report.promise;
    // Whoever waits for the report hears of a failure; whoever never asks must not bring the test down.
    report.promise.catch(() => {});
    // The child may have ended by itself when `stop` is written.
    this.#child.stdin?.on('error', () => {});
    createInterface({ input: this.#child.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (text) => {
      const line = JSON.parse(text) as LoadLine;
      if (line.type === 'started') started.resolve();
      if (line.type === 'progress') this.#note(line.answered, line.lost);
      if (line.type === 'report') {
        this.#note(line.report.answered, line.report.lost);
        report.resolve(line.report);
      }
    });
    this.#child.once('error', report.reject);
    this.#child.once('close', (code, signal) => {
      const error = new Error(`the load ended with ${signal ?? String(code)} and without a report`);
      started.reject(error);
      report.reject(error);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when `more` further requests have been answered. */
  async untilAnswered(more: number): Promise<void> {
    const goal = this.answered + more;
    const reached = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.answered < goal) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
    const ended = this.report.then((report) => {
      if (report.answered >= goal) return;
      throw new Error(`the load ended at ${report.answered} of ${goal}: ${JSON.stringify(report.lostByReason)}`);
    });
    await Promise.race([reached, ended]);
  }

  /** Lets what is under way finish and returns what was seen. */
  async stop(): Promise<LoadReport> {
    this.#child.stdin?.end('stop\n');
    return this.report;
  }

  #note(answered: number, lost: number): void {
    this.answered = answered;
    this.lost = lost;
    for (const look of this.#watchers) look();
  }
}

/** How many requests were answered between two wall-clock times, to a hundredth of a second. */
export function answeredBetween(report: LoadReport, from: number, to: number): number {
  const first = Math.floor((from - report.startedAt) / 10);
  const last = Math.floor((to - report.startedAt) / 10);
  return report.hundredths.slice(Math.max(0, first), Math.max(0, last)).reduce((sum, count) => sum + count, 0);
}
