/**
 * `npm run simulate -- --seeds N [--from S]`: plays histories until one goes wrong, prints the shortest form of that one
 * and how to play it again (`--seed S --only 1,4,7`), else how many faults there were, and which in which phase.
 * Exit code 1 for a violation. `--json` prints one document instead, for tests.
 */
import { parseArgs } from 'node:util';
import { coverageTable, holes } from './coverage.ts';
import { DaemonDied } from './daemon.ts';
import { historyOf, type Happening } from './history.ts';
import { shrink } from './shrink.ts';
import { Simulation, type SimulationReport } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
    /** With `--seed`: as JSON, instead of the one that the seed makes. */
    history: { type: 'string' },
    json: { type: 'boolean', default: false },
    /** Everything that happens counts as wrong: shows what is printed then. */
    break: { type: 'boolean', default: false },
    /** What goes wrong is told as it is, not in its shortest form. */
    raw: { type: 'boolean', default: false },
  },
});

// What a dead daemon still awaited ends like this; everything else is a defect of the simulation.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof DaemonDied)) throw error;
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const add = (sum: Map<string, number>, counts: ReadonlyMap<string, number>): void => {
  for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count);
};

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, each) => sum + each, 0);

/** A long run tells how far it is, on stderr. */
const PROGRESS_EVERY = 500;

const playOne = async (seed: number, only: string | undefined): Promise<SimulationReport> => {
  const history = values.history === undefined ? historyOf(seed) : (JSON.parse(values.history) as Happening[]);
  const kept = only === undefined ? history : only.split(',').flatMap((at) => history[Number(at)] ?? []);
  return new Simulation(seed, values.break).play(kept);
};

const linesOf = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts.keys()]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => `${String(counts.get(name)).padStart(8)}  ${name}`);

const replay = async (seed: number): Promise<number> => {
  const { log, violation } = await playOne(seed, values.only);
  for (const line of log) say(line);
  say(violation === null ? 'No violation.' : `VIOLATION: ${violation}`);
  return violation === null ? 0 : 1;
};

const explore = async (from: number, seeds: number): Promise<number> => {
  const faults = new Map<string, number>();
  const effects = new Map<string, number>();
  let connections = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const report = await playOne(seed, undefined);
    // Node looks at rejections once a turn of the event loop, and holds on to them until then.
    await new Promise(setImmediate);
    add(faults, report.faults);
    add(effects, report.effects);
    connections += report.connections;
    const played = seed - from + 1;
    if (played % PROGRESS_EVERY === 0) process.stderr.write(`${played} histories, ${sumOf(faults)} faults so far\n`);
    if (report.violation === null) continue;
    const whole = { kept: historyOf(seed).map((_happening, at) => at), report };
    const shortest = values.raw ? whole : await shrink(seed, historyOf(seed), report.violation, values.break);
    if (values.json) say(JSON.stringify({ seed, violation: report.violation, only: shortest.kept }));
    else {
      for (const line of shortest.report.log) say(line);
      say(`VIOLATION of seed ${seed}: ${shortest.report.violation ?? report.violation}`);
      say(`Again: npm run simulate -- --seed ${seed} --only ${shortest.kept.join(',')}`);
    }
    return 1;
  }
  const count = sumOf(faults);
  if (values.json) say(JSON.stringify({ seeds, connections, faults: count, cells: Object.fromEntries(faults) }));
  else {
    for (const line of linesOf(effects)) say(`${line} (effect)`);
    for (const line of coverageTable(faults)) say(line);
    const empty = holes(faults);
    if (empty.length > 0) say(`Never hit, and nothing excuses it: ${empty.join(', ')}`);
    say(`${seeds} histories, ${connections} connections, ${count} faults that changed something, 0 violations`);
  }
  return 0;
};

process.exitCode =
  values.seed === undefined
    ? await explore(Number(values.from), Number(values.seeds))
    : await replay(Number(values.seed));
