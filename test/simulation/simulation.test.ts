/** Histories of faults against the real supervisor, in processes of their own: a dead daemon leaves rejections behind. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { holes } from './coverage.ts';
import { COMMANDS, FAULTS, historyOf } from './history.ts';

const PROGRAM = join(import.meta.dirname, 'main.ts');
const SEEDS = 1200;
const LEAST_FAULTS = 50_000;

const simulate = async (args: readonly string[]): Promise<string> => {
  const all = ['--disable-warning=ExperimentalWarning', PROGRAM, ...args];
  return (await promisify(execFile)(process.execPath, all, { timeout: 600_000, maxBuffer: 2 ** 26 })).stdout;
};

describe('The simulation', () => {
  it(`finds no violation in ${LEAST_FAULTS} faults, which hit every phase`, async () => {
    const half = SEEDS / 2;
    const outputs = await Promise.all(
      [1, 1 + half].map(async (from) => simulate(['--from', String(from), '--seeds', String(half), '--json'])),
    );
    const reports = outputs.map((output) => JSON.parse(output) as { faults: number; cells: Record<string, number> });
    const faults = reports.reduce((sum, report) => sum + report.faults, 0);
    assert.ok(faults >= LEAST_FAULTS, `${faults} faults that changed something`);
    const hit = new Map(reports.flatMap(({ cells }) => Object.entries(cells)));
    assert.deepEqual(holes(hit), []);
  });

  it('prints the shortest form of a history that goes wrong, and how to play it again', async () => {
    const failed = await simulate(['--from', '1', '--seeds', '1', '--break']).catch(
      (error: { stdout: string }) => error,
    );
    const { stdout } = failed as { stdout: string };
    const again = /VIOLATION of seed 1: (.*)\nAgain: npm run simulate -- (--seed 1 --only [\d,]*)\n$/.exec(stdout);
    assert.ok(again, stdout);
    const replayed = await simulate([...(again[2] ?? '').split(' '), '--break']).catch(
      (error: { stdout: string }) => error,
    );
    assert.match((replayed as { stdout: string }).stdout, /VIOLATION: nobody ever starts a worker/);
    assert.ok((again[2] ?? '').split(',').length <= 2, again[2]);
  });

  it('plays the same history in the same way', async () => {
    const [first, second] = await Promise.all(['7', '7'].map(async (seed) => simulate(['--seed', seed])));
    assert.equal(first, second);
    assert.match(first ?? '', /a daemon takes over/);
  });

  it('makes histories of every command and every fault', () => {
    const kinds = new Set(
      Array.from({ length: 200 }, (_, seed) => historyOf(seed)).flatMap((all) =>
        all.flatMap((each) => (each.what === 'clients' ? [] : [each.kind])),
      ),
    );
    assert.deepEqual([...kinds].toSorted(), [...Object.keys(COMMANDS), ...Object.keys(FAULTS)].toSorted());
  });
});
