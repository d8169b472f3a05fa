/**
 * The simulation as a detector: each planted bug (`test/mutation/planted-bugs.ts`) is put into a copy of the sources, and
 * the simulation has to find it within 5,000 seeds.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Campaign } from '../../bench/campaign.ts';
import { PLANTED_BUGS, type PlantedBug } from '../mutation/planted-bugs.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SEEDS = 5000;
/** Of the sources as they are, which `npm test -- simulation` runs as well. */
const SMALL_SEEDS = 1000;
const AT_A_TIME = 2;

type Found = { readonly seed: number; readonly violation: string; readonly only: readonly number[] } | null;

export const plantedBugs: Campaign = {
  name: 'planted-bugs',
  shows: `the simulation finds each of ${PLANTED_BUGS.length} planted bugs within ${SEEDS} seeds`,
  run: async (run) => {
    const bugs = run.isSmall ? PLANTED_BUGS.slice(0, 4) : PLANTED_BUGS;
    const seedsWithout = run.isSmall ? SMALL_SEEDS : SEEDS;
    const none = await run.row('none', async () => search(null, seedsWithout));
    run.check('without a bug nothing is found', none === null, none?.violation ?? `${seedsWithout} seeds`);
    const queue = [...bugs];
    const hunt = async (): Promise<void> => {
      for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
        const wanted = bug;
        const found = await run.row(wanted.name, async () => search(wanted, SEEDS));
        const detail = found === null ? 'not found' : `seed ${found.seed}: ${found.violation.slice(0, 120)}`;
        run.check(wanted.name, found !== null, detail);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, hunt));
  },
};

/** Null: the sources as they are. */
const search = async (bug: PlantedBug | null, seeds: number): Promise<Found> => {
  await using folder = await temporaryFolder('planted');
  for (const part of ['src', 'package.json', 'test/simulation', 'test/support']) {
    mkdirSync(join(folder.path, part, '..'), { recursive: true });
    cpSync(join(ROOT, part), join(folder.path, part), { recursive: true });
  }
  for (const part of ['node_modules', 'dist']) symlinkSync(join(ROOT, part), join(folder.path, part));
  if (bug !== null) plant(folder.path, bug);
  const program = join(folder.path, 'test', 'simulation', 'main.ts');
  const args = ['--disable-warning=ExperimentalWarning', program, '--seeds', String(seeds), '--json', '--raw'];
  try {
    await promisify(execFile)(process.execPath, args, { timeout: 1_800_000, maxBuffer: 2 ** 26 });
    return null;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    if (!stdout.startsWith('{'))
      throw new Error(`the simulation itself failed: ${stderr.slice(0, 2000)}`, { cause: error });
    return JSON.parse(stdout) as Found;
  }
};

const plant = (folder: string, { file, find, replace }: PlantedBug): void => {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${file} does not have this once: ${find}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
};
