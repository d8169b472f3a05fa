/** What goes when it is too much, and that neither the clock nor anything odd among the logs changes that. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { compressBlock, encodeTable } from './archive-format.ts';
import { archivePath } from './archive-name.ts';
import { DEFAULT_BUDGET, DEFAULT_LIMITS } from './limits.ts';
import type { LogBudget, LogLimits } from './limits.ts';
import { logFileOf } from './log-file.ts';
import type { LogFile } from './log-file.ts';
import { holdToBudget, holdToLimits } from './retention.ts';
import type { RetentionOptions } from './retention.ts';

let root = '';
let homes = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-retention-'));
});
after(() => rmSync(root, { recursive: true }));

const newHome = (): string => {
  homes += 1;
  return join(root, String(homes));
};

const NOW_S = 1_800_000_000;
const BLOCK = 4096;
const BYTES = Buffer.alloc(BLOCK, 'a line\n');

const optionsFor = (
  home: string,
  limits: Partial<LogLimits> = {},
  budget: Partial<LogBudget> = {},
  more: Partial<RetentionOptions> = {},
): RetentionOptions => ({
  home,
  limitsOf: () => ({ ...DEFAULT_LIMITS, ...limits }),
  budget: () => ({ ...DEFAULT_BUDGET, minFreeBytes: 0, ...budget }),
  isAlive: () => false,
  canPunch: () => true,
  punch: () => true,
  onStep: () => {},
  wallMs: () => NOW_S * 1_000,
  flushes: () => 0,
  onRemoved: () => {},
  onProblem: () => {},
  onFailure: (message) => assert.fail(message),
  ...more,
});

const fileOf = (home: string, generation: number, app = 'shop'): LogFile => {
  const file = logFileOf(home, { app, slot: 0, generation, stream: 'stdout' });
  mkdirSync(file.archiveDirectory, { recursive: true });
  return file;
};

const writeAt = (path: string, bytes: Buffer, atS: number): void => {
  writeFileSync(path, bytes);
  utimesSync(path, atS, atS);
};

/** A file whose archives, a block each, were made at these times; nothing is outside them. */
function writeArchives(file: LogFile, timesS: readonly number[]): void {
  const block = compressBlock(BYTES, 'gz');
  const archive = Buffer.concat([block, encodeTable([block.length], 'gz')]);
  for (const [place, atS] of timesS.entries())
    writeAt(archivePath(file, { start: place * BLOCK, end: (place + 1) * BLOCK }, 'gz'), archive, atS);
  writeAt(file.path, Buffer.alloc(timesS.length * BLOCK), timesS.at(-1) ?? 0);
}

const archiveNames = (home: string, app = 'shop'): string[] =>
  readdirSync(join(home, 'logs', app, 'archive')).filter((name) => name.endsWith('.gz'));
const archiveStarts = (home: string): number[] =>
  archiveNames(home)
    .map((name) => Number(/(\d+)-/.exec(name)?.[1]) / BLOCK)
    .toSorted((a, b) => a - b);

describe('what is kept of logs', () => {
  /** Ten, and one that was made after the clock had been set back by a day. */
  const times = [...Array.from({ length: 10 }, (_, place) => NOW_S + place), NOW_S - 86_400];

  it('are the newest archives by their place, also when the clock was set back before the last one', async () => {
    const home = newHome();
    writeArchives(fileOf(home, 1), times);
    await holdToLimits('shop', optionsFor(home, { keep: 10 }, {}, { isAlive: () => true }));
    assert.deepEqual(archiveStarts(home), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await holdToLimits('shop', optionsFor(home, { keep: 10, maxAgeMs: 3_600_000 }, {}, { isAlive: () => true }));
    assert.deepEqual(archiveStarts(home), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('are the newest archives when the quota is met, also then', async () => {
    const home = newHome();
    const file = fileOf(home, 1);
    writeArchives(file, times);
    const sizes = compressBlock(BYTES, 'gz').length;
    // As much as the file itself takes (it is no hole here), and about four archives.
    const quotaBytes = times.length * BLOCK + 4 * (sizes + 40);
    await holdToBudget(optionsFor(home, {}, { quotaBytes }, { isAlive: () => true }));
    const left = archiveStarts(home);
    assert.ok(left.length > 0 && left.length < 8, left.join());
    assert.deepEqual(
      left,
      left.map((_, place) => times.length - left.length + place),
    );
  });

  it('are the newest generations by their number, also when the clock was set back before the last one', async () => {
    const home = newHome();
    for (const generation of [1, 2, 3])
      writeAt(fileOf(home, generation).path, BYTES, generation === 3 ? NOW_S - 86_400 : NOW_S + generation);
    await holdToLimits('shop', optionsFor(home, { keep: 2 }));
    const left = readdirSync(join(home, 'logs/shop')).filter((name) => name.endsWith('.log'));
    assert.deepEqual(left, ['0.2.out.log', '0.3.out.log']);
  });
});

describe('something odd among the logs', () => {
  const NOTHING: Partial<LogBudget> = { quotaBytes: 0 };
  const names = (home: string, app: string): string[] => readdirSync(join(home, 'logs', app)).toSorted();

  it('keeps no app from the quota: a plain file, what cannot be looked into, what is no log', async () => {
    const home = newHome();
    for (const app of ['first', 'shop']) writeAt(fileOf(home, 1, app).path, BYTES, NOW_S);
    writeFileSync(join(home, 'logs/old.tar.gz'), 'somebody put it there');
    // Who runs this may be root, whom no mode keeps out of `lost+found`.
    symlinkSync('loop', join(home, 'logs/loop'));
    mkdirSync(join(home, 'logs/first/0.2.out.log'));
    const failures: string[] = [];
    const problems: string[] = [];
    await holdToBudget(
      optionsFor(home, {}, NOTHING, {
        onFailure: (message) => failures.push(message),
        onProblem: (message) => problems.push(message),
      }),
    );
    assert.deepEqual([names(home, 'first'), names(home, 'shop')], [['0.2.out.log', 'archive'], ['archive']]);
    assert.equal(failures.length, 2, failures.join('\n'));
    assert.match(failures[0] ?? '', /logs\/loop: ELOOP/);
    assert.match(failures[1] ?? '', /0\.2\.out\.log: .*directory/);
    assert.match(problems.join(), /removed 0 archives and 2 files/);
  });

  it('goes in its turn where it is a damaged archive', async () => {
    const home = newHome();
    const file = fileOf(home, 1);
    writeArchives(file, [NOW_S, NOW_S, NOW_S]);
    for (const place of [0, 1])
      writeFileSync(archivePath(file, { start: place * BLOCK, end: (place + 1) * BLOCK }, 'gz'), 'damaged');
    await holdToLimits('shop', optionsFor(home, { keep: 1 }, {}, { isAlive: () => true }));
    assert.deepEqual(archiveStarts(home), [2]);
  });
});
