/** The names that stay (`logs.rotate: 'rename'`) where something keeps them from being made, and what that keeps from what. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLogs, readLogs, type Logs, type LogsOptions } from '../../src/logs/index.ts';
import type { Clock } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

const open = (home: string, more: Partial<LogsOptions> = {}): Logs =>
  openLogs({
    home,
    isAlive: () => true,
    limitsOf: () => ({ maxSizeBytes: 1024 ** 2, keep: 100, maxAgeMs: null, rotate: 'rename' }),
    ...more,
  });

const start = (logs: Logs, slot: number, generation: number, app = 'shop') =>
  logs.openWorker({ app, slot, generation, uid: null });

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

describe('a name that cannot be made', () => {
  it('keeps no worker from its files, leaks none of them, is told once for each stream, and is made when it can be', async () => {
    await using folder = await temporaryFolder();
    const problems: string[] = [];
    const living = new Set<number>();
    const logs = open(folder.path, {
      isAlive: ({ generation }) => living.has(generation),
      onProblem: (message) => problems.push(message),
    });
    start(logs, 0, 1).close();
    const current = join(logs.directory('shop'), 'current');
    rmSync(current, { recursive: true });
    writeFileSync(current, 'x');
    const before = openDescriptors();
    for (const generation of [2, 3, 4]) {
      const log = start(logs, 0, generation);
      writeSync(log.stdout, `generation ${generation}\n`);
      log.close();
    }
    assert.equal(openDescriptors(), before);
    assert.equal(problems.length, 2, problems.join('\n'));
    assert.match(problems[0] ?? '', /current\/0\.out\.log cannot be made, and is tried again: E(EXIST|NOTDIR)/);
    const lines: string[] = [];
    for await (const { line } of readLogs({ home: folder.path, apps: ['shop'], clock })) lines.push(line);
    assert.deepEqual(lines, ['generation 2', 'generation 3', 'generation 4']);

    living.add(4);
    rmSync(current);
    const name = join(current, '0.out.log');
    await eventually('the name', () => inodeOf(name) !== undefined);
    assert.equal(readFileSync(name, 'utf8'), 'generation 4\n');
    logs.close();
  });

  it('keeps no other name from moving on, nor itself once it can be made', async () => {
    await using folder = await temporaryFolder();
    const problems: string[] = [];
    const living = new Set([1]);
    const logs = open(folder.path, {
      isAlive: ({ generation }) => living.has(generation),
      onProblem: (message) => problems.push(message),
    });
    const nameOf = (app: string, slot: number): string => join(logs.directory(app), `current/${slot}.out.log`);
    const fileOf = (app: string, slot: number, generation: number): string =>
      join(logs.directory(app), `${slot}.${generation}.out.log`);
    const each = [
      ['shop', 0],
      ['shop', 1],
      ['zoo', 0],
    ] as const;
    for (const [app, slot] of each) start(logs, slot, 1, app).close();
    const obstacle = `${nameOf('shop', 0)}.new`;
    mkdirSync(obstacle);
    for (const [app, slot] of each) start(logs, slot, 2, app).close();
    living.clear();
    living.add(2);
    for (const [app, slot] of each.slice(1))
      await eventually(
        `the name of ${app}/${slot}`,
        () => inodeOf(nameOf(app, slot)) === inodeOf(fileOf(app, slot, 2)),
      );
    await eventually('it is told', () => problems.length > 0);
    assert.equal(inodeOf(nameOf('shop', 0)), inodeOf(fileOf('shop', 0, 1)));
    rmSync(obstacle, { recursive: true });
    await eventually('the last name', () => inodeOf(nameOf('shop', 0)) === inodeOf(fileOf('shop', 0, 2)));
    assert.equal(problems.length, 1, problems.join('\n'));
    logs.close();
  });
});

describe('a name', () => {
  it('moves on when its old worker has ended, however long the other slots are settled by then', async () => {
    await using folder = await temporaryFolder();
    const living = new Set(['0.1', '1.1']);
    const logs = open(folder.path, { isAlive: ({ slot, generation }) => living.has(`${slot}.${generation}`) });
    const nameOf = (slot: number, app = 'shop'): string => join(logs.directory(app), `current/${slot}.out.log`);
    const fileOf = (slot: number, generation: number, app = 'shop'): string =>
      join(logs.directory(app), `${slot}.${generation}.out.log`);
    for (const generation of [1, 2]) for (const slot of [0, 1]) start(logs, slot, generation).close();
    living.delete('0.1');
    living.add('0.2').add('1.2');
    await eventually('the name of slot 0', () => inodeOf(nameOf(0)) === inodeOf(fileOf(0, 2)));
    // The old worker of slot 1 drains for longer than the turns that it takes a name of another app to move on.
    for (const generation of [1, 2]) start(logs, 0, generation, 'zoo').close();
    await eventually('the other name', () => inodeOf(nameOf(0, 'zoo')) === inodeOf(fileOf(0, 2, 'zoo')));
    assert.equal(inodeOf(nameOf(1)), inodeOf(fileOf(1, 1)));
    living.delete('1.1');
    await eventually('the name of slot 1', () => inodeOf(nameOf(1)) === inodeOf(fileOf(1, 2)));
    logs.close();
  });
});

describe('the files of a worker', () => {
  it('are closed where something fails after they were opened', async () => {
    await using folder = await temporaryFolder();
    let isBroken = false;
    const logs = open(folder.path, {
      isAlive() {
        if (isBroken) throw new Error('nobody knows');
        return true;
      },
    });
    start(logs, 0, 1).close();
    const before = openDescriptors();
    isBroken = true;
    assert.throws(() => start(logs, 0, 2), /nobody knows/);
    assert.equal(openDescriptors(), before);
    isBroken = false;
    // A user that no system has: only root may give files away, and only then it matters.
    if (process.getuid?.() === 0) {
      assert.throws(() => logs.openWorker({ app: 'shop', slot: 0, generation: 3, uid: 2 ** 33 }), /uid/);
      assert.equal(openDescriptors(), before);
    }
    logs.close();
  });

  it('are opened where something else is in the place of their index', async () => {
    await using folder = await temporaryFolder();
    const logs = open(folder.path);
    const first = start(logs, 0, 1);
    mkdirSync(join(logs.directory('shop'), '0.2.out.log.idx'));
    const second = start(logs, 0, 2);
    writeSync(second.stdout, 'hello\n');
    await eventually('the index of the first one', () => {
      writeSync(first.stdout, '.\n');
      return (statSync(first.files[0].indexPath, { throwIfNoEntry: false })?.size ?? 0) > 0;
    });
    first.close();
    second.close();
    logs.close();
  });
});
