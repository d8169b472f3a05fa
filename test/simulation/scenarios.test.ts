/** Short histories written by hand: what the long ones have found, each as it can happen to somebody. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { CommandKind, Fault, FaultKind, Happening } from './history.ts';

const PROGRAM = join(import.meta.dirname, 'main.ts');

const command = (at: number, kind: CommandKind, size = 1, app = 0): Happening => ({
  at,
  what: 'command',
  kind,
  app,
  size,
});

const fault = (at: number, kind: FaultKind, change: Partial<Fault> = {}): Happening => ({
  at,
  what: 'fault',
  kind,
  on: null,
  pick: 0,
  ms: 4000,
  boot: 'throws',
  manner: 'ignores',
  lie: 'garbage',
  ...change,
});

const clients = (at: number, ms: number): Happening => ({ at, what: 'clients', app: 0, ms, everyMs: 20 });

/** What happened, with what was violated at its end. */
const play = async (history: readonly Happening[], seed: number): Promise<string> => {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, '--seed', String(seed)];
  const run = promisify(execFile)(process.execPath, [...args, '--history', JSON.stringify(history)]);
  return (await run.catch((error: unknown) => error as { stdout: string })).stdout;
};

const SEEDS = [1, 2, 3, 4, 5];

const holds = async (history: readonly Happening[], mustHappen: RegExp): Promise<void> => {
  const logs = await Promise.all(SEEDS.map(async (seed) => play(history, seed)));
  for (const log of logs) assert.match(log, /No violation\.\n$/);
  assert.ok(
    logs.some((log) => mustHappen.test(log)),
    `what it is about did not happen: ${logs[0]}`,
  );
};

describe('a state that fell back to a backup', () => {
  it('does not leave workers running beyond the size that it knows', async () => {
    await holds(
      [command(100, 'start'), command(5000, 'scale', 4), fault(20_000, 'state-falls-back', { pick: 17_000 })],
      /is a stray: shop\/3#1[^]*scale completed/,
    );
  });

  it('does not go on with what had ended, also when the daemon that found it dies at once', async () => {
    for (const pick of [1, 2, 3, 4, 5]) {
      await holds(
        [
          command(100, 'start'),
          command(100, 'start', 1, 1),
          fault(5000, 'worker-killed', { pick: 2 }),
          fault(5000, 'worker-killed', { pick: 2 }),
          fault(19_990, 'daemon-dies-at-effect', { pick }),
          fault(20_000, 'state-falls-back', { pick: 19_700 }),
        ],
        /state-falls-back[^]*the daemon dies before[^]*a daemon takes over/,
      );
    }
  });

  it('starts no worker as one of a release that it does not know', async () => {
    await holds(
      [
        command(100, 'start'),
        command(5000, 'release'),
        fault(20_000, 'state-falls-back', { pick: 17_000 }),
        fault(25_000, 'worker-killed'),
      ],
      /is a stray: shop\/0#2[^]*shop\/0#3 is pid/,
    );
  });
});

describe('a daemon that is killed', () => {
  it('while an operation ends does not give up the port of workers that have not spoken to the next one yet', async () => {
    await holds(
      [command(100, 'start'), fault(0, 'daemon-dies', { on: 'done' }), clients(3000, 2000)],
      /daemon-dies[^]*operation-resumed/,
    );
  });

  it('before anybody kept its newest sockets gets them back from the workers', async () => {
    const deaths = [4, 8, 12, 16, 20].map((pick) => [
      command(100, 'start'),
      fault(90, 'daemon-dies-at-effect', { pick }),
      command(5000, 'scale', 4),
      fault(5000, 'daemon-dies-at-effect', { pick: pick + 1 }),
      clients(9000, 4000),
    ]);
    for (const history of deaths) await holds(history, /the daemon dies before/);
  });

  it('on a full disk boots no second worker for one that no record names', async () => {
    await holds(
      [
        command(100, 'start'),
        fault(0, 'disk-full', { on: 'preparing', ms: 6000 }),
        fault(0, 'daemon-dies', { on: 'done' }),
      ],
      /is a stray[^]*start completed/,
    );
  });
});

describe('a worker that covers for one that stalls', () => {
  it('is relieved when it stalls itself', async () => {
    await holds(
      [
        command(100, 'start'),
        command(3000, 'scale', 4),
        clients(10_000, 4000),
        fault(10_500, 'worker-stalls', { pick: 1, ms: 9000 }),
        fault(11_000, 'worker-stalls', { pick: 0, ms: 9000 }),
        fault(11_000, 'worker-stalls', { pick: 2, ms: 9000 }),
      ],
      /worker-stalls/,
    );
  });

  it('is relieved when its successor is there, also where it does not hear that it is to leave', async () => {
    await holds(
      [
        command(100, 'start'),
        command(10_000, 'reload'),
        clients(10_300, 2600),
        fault(11_500, 'worker-stalls', { pick: 0, ms: 7000 }),
        fault(11_760, 'worker-stalls', { pick: 1, ms: 7000 }),
      ],
      /shop\/1#2[^]*worker-stalls: pid 103[^]*shop\/1 worker-draining/,
    );
  });
});
