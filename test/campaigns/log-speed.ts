/**
 * What Drover costs a worker that prints as fast as it can, against the same program with its output in a file
 * (`node app.js > file`): in turn within each round, by the clock and in CPU time. The clock is what counts, and needs a
 * machine that has a core for the compressor; CPU time is what is left of it on a busy one.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { middleOf } from '../../bench/paired.ts';
import { type Drover, openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { listChildren } from '../support/processes.ts';
import { writeConfig } from '../support/service.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'prints.mjs');
const APP = 'printer';
const LOSS_LIMIT = 0.05;
/** Compiles what is measured, on both sides. */
const WARM_UP_ROUNDS = 1;

/** What printing the lines of a turn took. */
interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
}

type Side = 'plain' | 'drover';

interface Round {
  /** Two turns of each side. */
  readonly plain: Took;
  readonly drover: Took;
}

export const logSpeed: Campaign = {
  name: 'log-speed',
  shows: 'printing as fast as it can, a worker is at most 5 % slower than with its output in a file',
  run: async (run) => {
    const [rounds, lines] = run.isSmall ? [6, 20_000] : [10, 400_000];
    const found = await run.row(`${rounds} paired rounds of ${lines} lines`, async () => measureSpeed(rounds, lines));
    run.table(
      ['round', 'file ms', 'Drover ms', 'loss %', 'file CPU ms', 'Drover CPU ms', 'loss %'],
      found.map(({ plain, drover }, round) => [
        round + 1,
        fixed(plain.wallMs, 0),
        fixed(drover.wallMs, 0),
        fixed(lossOf(plain.wallMs, drover.wallMs) * 100),
        fixed(plain.cpuMs, 0),
        fixed(drover.cpuMs, 0),
        fixed(lossOf(plain.cpuMs, drover.cpuMs) * 100),
      ]),
    );
    for (const [what, of] of [
      ['speed by the clock', (took: Took) => took.wallMs],
      ['speed in CPU time', (took: Took) => took.cpuMs],
    ] as const) {
      const { middle, upper } = middleOf(found.map(({ plain, drover }) => lossOf(of(plain), of(drover))));
      const detail = `${fixed(middle * 100)} %, upper bound (95 %) ${fixed(upper * 100)} %`;
      run.bound(`loss of ${what}`, upper <= LOSS_LIMIT, detail);
    }
  },
};

/** By how much fewer lines a second. */
const lossOf = (plain: number, drover: number): number => 1 - plain / drover;

async function measureSpeed(rounds: number, lines: number): Promise<Round[]> {
  await using drover = await openDrover();
  const control = join(drover.home, 'control');
  mkdirSync(control);
  const env = { CONTROL: control, ROUND_LINES: String(lines) };
  // Ten times as many rotations as by default.
  const settings = { script: SCRIPT, env, instances: 1, logs: { maxSize: '10MB', keep: 10 } };
  await drover.start([writeConfig(drover, { [APP]: settings })]);
  await drover.untilReady(APP, 1);
  const output = openSync(join(drover.home, 'plain.log'), 'w');
  const plain = spawn(process.execPath, [SCRIPT], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env, PRINTER: 'plain' },
    // A session of its own, as workers have: Linux divides a busy machine among sessions first, then among processes.
    detached: true,
  });
  closeSync(output);
  const turns: Record<Side, number> = { plain: 0, drover: 0 };
  const printOn = async (side: Side): Promise<Took> => {
    await untilRotated(drover);
    const place = `${side === 'plain' ? 'plain' : '0'}-${turns[side]}`;
    turns[side] += 1;
    writeFileSync(join(control, `go-${place}`), '');
    const done = join(control, `done-${place}`);
    await eventually(`turn ${place}`, () => existsSync(done), { withinMs: 300_000, everyMs: 50 });
    return JSON.parse(readFileSync(done, 'utf8')) as Took;
  };
  try {
    const found: Round[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round += 1) {
      const took: Record<Side, Took[]> = { plain: [], drover: [] };
      // Whatever drifts evenly within a round is the same for both sides.
      const order: readonly Side[] =
        round % 2 === 0 ? ['plain', 'drover', 'drover', 'plain'] : ['drover', 'plain', 'plain', 'drover'];
      for (const side of order) took[side].push(await printOn(side));
      if (round >= WARM_UP_ROUNDS) found.push({ plain: sumOf(took.plain), drover: sumOf(took.drover) });
    }
    return found;
  } finally {
    plain.kill('SIGKILL');
  }
}

/** What Drover has still to do for its last turn must not be in the way of the file's next. */
async function untilRotated(drover: Drover): Promise<void> {
  const { pid, guardPid } = await drover.daemon();
  const workers = await drover.pids(APP);
  const isOther = (child: number): boolean => child !== guardPid && !workers.includes(child);
  let quietLooks = 0;
  await eventually(
    'nothing is being rotated',
    () => {
      quietLooks = listChildren(pid ?? 0).some(isOther) ? 0 : quietLooks + 1;
      // A file that grew is looked at within 90 ms.
      return quietLooks >= 5;
    },
    { withinMs: 60_000, everyMs: 50 },
  );
}

const sumOf = (all: readonly Took[]): Took => ({
  wallMs: all.reduce((sum, { wallMs }) => sum + wallMs, 0),
  cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
});
