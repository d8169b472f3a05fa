/**
 * Damaged diagnostic files, by the ten thousand: each must end in a result or in an error that names what is wrong and
 * where, with bounded memory, and never hang.
 */
import type { Campaign, CampaignRun } from '../../bench/campaign.ts';
import type { Original } from '../hostile/mutate.ts';
import { takeSmallProfiles } from '../hostile/small-profiles.ts';
import { takeSmallSnapshots } from '../hostile/small-snapshots.ts';
import { runTrial, type TrialResult } from '../hostile/trial.ts';
import { installPackage } from '../provisions.ts';
import { join } from 'node:path';

interface Kind {
  readonly name: string;
  /** The thread that damages and reads files of this kind. */
  readonly module: URL;
  readonly takeOriginals: () => Promise<readonly Original[]>;
  readonly cases: number;
  readonly smallCases: number;
}

const KINDS: readonly Kind[] = [
  {
    name: 'heap snapshots',
    module: new URL('../hostile/heap-case.ts', import.meta.url),
    takeOriginals: takeSmallSnapshots,
    cases: 110_000,
    smallCases: 4_000,
  },
  {
    name: 'CPU profiles',
    module: new URL('../hostile/cpu-case.ts', import.meta.url),
    takeOriginals: takeSmallProfiles,
    cases: 60_000,
    smallCases: 3_000,
  },
];

/** Cases of one row: a campaign that is ended goes on behind the last whole one. */
const ROW = 10_000;

export const hostileFiles: Campaign = {
  name: 'hostile-files',
  shows: 'damaged snapshots and profiles end in a result or an error that says what and where',
  run: async (run) => {
    const root = join(import.meta.dirname, '..', '..');
    installPackage(join(root, 'test', 'nodes'), 'test/nodes', (line) => run.say(line));
    for (const kind of KINDS) await runKind(run, kind);
  },
};

async function runKind(run: CampaignRun, { name, module, takeOriginals, cases, smallCases }: Kind): Promise<void> {
  const originals = await takeOriginals();
  // Other numbers than the tests have.
  const first = 1_000_000;
  const end = first + (run.isSmall ? smallCases : cases);
  const total = { understood: 0, refused: 0, defects: [] as string[] };
  for (let from = first; from < end; from += ROW) {
    const to = Math.min(from + ROW, end);
    const row = await run.row<TrialResult>(`${name} ${from} to ${to}`, async () =>
      runTrial(module, { from, to, originals }),
    );
    total.understood += row.understood;
    total.refused += row.refused;
    total.defects.push(...row.defects);
  }
  const { understood, refused, defects } = total;
  const shown = `${understood} understood, ${refused} refused, ${defects.length} neither`;
  const isWhole = understood + refused === end - first && defects.length === 0;
  run.check(`${name}: damaged ${end - first} times`, isWhole, shown);
  for (const defect of defects) run.say(defect);
}
