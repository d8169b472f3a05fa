/**
 * Computation of the application that holds the loop for long: where a worker thread helps. Runs of at least 50 ms, three
 * of them (or hardly anything else), which together are a quarter of the busy time: below that, handing work to a thread
 * costs more than it gives (a chart library put the border at 50 to 100 ms: mui/mui-x#22365). Work that other rules know
 * is theirs.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule } from './finding.ts';
import { hottestLine, type Sight } from './sight.ts';

const LONG_US = 50_000;
/** On a machine that is busy with others, two samples may lie 50 ms apart: those say little about one program. */
const FEWEST_SAMPLES = 8;
const FEWEST_RUNS = 3;
/** Or hardly anything else ran. */
const WHOLE = 0.7;
const LEAST_SHARE = 0.25;

interface Run {
  us: number;
  hits: number;
  /** Per function of the application: its own time in the run. */
  readonly by: Map<number, number>;
  /** Time in which the application itself computed, not Node for it. */
  ownUs: number;
}

export const blockingWork: Rule = {
  id: 'blocking-work',
  find: (sight) => {
    const long = findRuns(sight).filter(
      ({ us, hits, ownUs }) => us >= LONG_US && hits >= FEWEST_SAMPLES && ownUs >= us * 0.6,
    );
    const us = long.reduce((sum, run) => sum + run.us, 0);
    // Calls one after the other, without anything between them, look like one long run.
    const isAgain = long.length >= FEWEST_RUNS || us >= WHOLE * sight.runTime.wallUs;
    if (!isAgain || sight.share(us) < LEAST_SHARE) return [];
    return [describe(sight, long, us)];
  },
};

/** Samples in a row below the same call out of Node into the application; garbage collection does not end a run. */
function findRuns(sight: Sight): Run[] {
  const { samples } = sight.profile;
  const { from, to, weightUs } = sight.runTime;
  const entry = findEntries(sight);
  const runs: Run[] = [];
  let run: Run | null = null;
  let current = -1;
  for (let sample = from; sample < to; sample += 1) {
    const node = samples.node[sample] as number;
    const us = weightUs(sample);
    if (sight.functionAt(node).category === 'gc') {
      if (run !== null) run.us += us;
      continue;
    }
    const next = entry[node] as number;
    if (next !== current || run === null) {
      current = next;
      run = next === -1 ? null : { us: 0, hits: 0, by: new Map(), ownUs: 0 };
      if (run !== null) runs.push(run);
    }
    if (run === null) continue;
    run.us += us;
    run.hits += 1;
    const ownerNode = sight.ownerOf(node);
    if (sight.kindAt(node) !== 'none' || ownerNode === -1 || sight.functionAt(node).category === 'regexp') continue;
    run.ownUs += us;
    const owner = sight.profile.functionOf[ownerNode] as number;
    run.by.set(owner, (run.by.get(owner) ?? 0) + us);
  }
  return runs;
}

/** Per node: the outermost node of the application on its stack, −1 where there is none or where it is the start. */
function findEntries(sight: Sight): Int32Array {
  const { nodeCount, parent } = sight.profile;
  const entry = new Int32Array(nodeCount).fill(-1);
  for (let node = 1; node < nodeCount; node += 1) {
    const above = entry[parent[node] as number] as number;
    entry[node] = above === -1 && sight.functionAt(node).category === 'application' ? node : above;
  }
  return entry;
}

function describe(sight: Sight, runs: readonly Run[], us: number): Finding {
  const share = sight.share(us);
  const by = new Map<number, number>();
  for (const run of runs) for (const [owner, own] of run.by) by.set(owner, (by.get(owner) ?? 0) + own);
  const [owner = 0, ownUs = 0] = [...by].sort(([, a], [, b]) => b - a)[0] ?? [];
  const where = sight.place(owner, hottestLine(linesOf(sight, owner)));
  const sorted = runs.map((run) => run.us).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)] as number;
  return {
    id: 'blocking-work',
    title: `${nameOf(where)} holds the event loop for ${milliseconds(usual)} at a time`,
    severity: usual >= 100_000 ? 'high' : 'medium',
    share,
    where,
    evidence: [
      `${runs.length === 1 ? 'once' : `${runs.length} times`} at least ${milliseconds(LONG_US)} in a row, ${milliseconds(sorted.at(-1) as number)} at the longest: ${percent(share)} of the time in which the loop was busy`,
      `${percent(ownUs / us)} of that is ${nameOf(where)} itself`,
      ...sight.quote(where),
    ],
    remedy: REMEDY,
    expectedGain: {
      from: share * 0.7,
      to: share,
      basis:
        'a worker thread computes as long, while the loop answers others; handing over and back costs about 1 ms per MB copied',
    },
  };
}

function linesOf(sight: Sight, owner: number): Map<number, number> {
  const lines = new Map<number, number>();
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    if (sight.profile.functionOf[node] !== owner) continue;
    for (const [line, us] of sight.linesOf(node)) lines.set(line, (lines.get(line) ?? 0) + us);
  }
  return lines;
}

const REMEDY = {
  text: 'Move it to a worker thread (a pool, such as piscina, bounds how many run), or compute it before it is asked for and keep it, or do it in turns of a few milliseconds with setImmediate between them.',
  code: [
    "import { Piscina } from 'piscina';",
    "const pool = new Piscina({ filename: new URL('./report.worker.js', import.meta.url).href });",
    'const report = await pool.run({ year });',
  ].join('\n'),
};
