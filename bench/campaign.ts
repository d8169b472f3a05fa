/**
 * The frame of every campaign: it measures rows once (a row of the same commit and size is taken from the results
 * file, so that a long campaign can be resumed), writes them as JSON lines with the commit, and keeps the checks.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'bench', 'results');

export interface Campaign {
  readonly name: string;
  /** What it shows, in a line. */
  readonly shows: string;
  readonly run: (run: CampaignRun) => Promise<void>;
}

interface Row {
  readonly commit: string;
  readonly at: string;
  readonly size: 'full' | 'small';
  readonly key: string;
  readonly result: unknown;
}

export class CampaignRun {
  readonly isSmall: boolean;
  passed = 0;
  failed = 0;
  readonly #name: string;
  readonly #file: string;
  readonly #commit = readCommit();

  constructor(name: string, isSmall: boolean) {
    this.#name = name;
    this.isSmall = isSmall;
    mkdirSync(RESULTS, { recursive: true });
    // Small runs are checks of the machinery, not figures: they stay on the machine.
    this.#file = join(RESULTS, isSmall ? `${name}.local.jsonl` : `${name}.jsonl`);
  }

  /** Measures, unless this commit has already. */
  async row<Result>(key: string, measure: () => Promise<Result>): Promise<Result> {
    const known = this.#readRows().findLast((row) => row.key === key && row.commit === this.#commit);
    if (known === undefined || this.#commit.endsWith(UNCOMMITTED)) return this.newRow(key, measure);
    this.say(`${key}: measured before at this commit`);
    return known.result as Result;
  }

  /** Measures, whatever there is. */
  async newRow<Result>(key: string, measure: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const result = await measure();
    const size = this.isSmall ? 'small' : 'full';
    const row: Row = { commit: this.#commit, at: new Date().toISOString(), size, key, result };
    appendFileSync(this.#file, `${JSON.stringify(row)}\n`);
    this.say(`${key}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return result;
  }

  /** Something that must hold whatever the size of the campaign and the load of the machine. */
  check(what: string, holds: boolean, detail: string): void {
    if (holds) this.passed += 1;
    else this.failed += 1;
    this.say(`${holds ? 'pass' : 'FAIL'}  ${what}: ${detail}`);
  }

  /** A bound on time or cost: asserted in a full campaign, only reported in a small one, which is too short for it. */
  bound(what: string, holds: boolean, detail: string): void {
    if (!this.isSmall) return this.check(what, holds, detail);
    this.say(`${holds ? 'holds' : 'misses'}  ${what}: ${detail} (reported only)`);
  }

  /** Something that must hold and did not even come to an end. */
  broken(what: string, error: unknown): void {
    this.check(what, false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const table = new Table({ head: [...head], style: { head: [], border: [] } });
    table.push(...rows.map((row) => row.map(String)));
    process.stdout.write(`${table.toString()}\n`);
  }

  say(line: string): void {
    process.stdout.write(`[${this.#name}] ${line}\n`);
  }

  #readRows(): Row[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
  }
}

const UNCOMMITTED = '+changes';

/** The commit that is measured; with changes on top it is no commit that anybody could check out. */
function readCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changes = git('status', '--porcelain', '--', 'src', 'bin', 'test', 'bench', ':!bench/results');
  return git('rev-parse', '--short=12', 'HEAD') + (changes === '' ? '' : UNCOMMITTED);
}

/** The middle of several measurements. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Each round by itself, because neighbours in time have met the same machine. */
export const medianRatio = (values: readonly number[], others: readonly number[]): number =>
  median(values.map((value, round) => value / (others[round] ?? Number.NaN)));

export const fixed = (value: number | null, digits = 1): string => (value === null ? '–' : value.toFixed(digits));
