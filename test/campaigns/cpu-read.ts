/**
 * What it costs to open a CPU profile and to add up self and total time: memory per byte of file, and time, beside
 * JSON.parse with the model of Chrome DevTools, on what that can open.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import { bundleDevTools } from '../oracle/bundle-devtools.ts';
import { installPackage } from '../provisions.ts';
import type { Cost } from '../support/cpu-read/measure.ts';
import { writeLargeProfile } from '../support/cpu-read/large-profile.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MEASURE = join(import.meta.dirname, '..', 'support', 'cpu-read', 'measure.ts');
const SEED = join(import.meta.dirname, '..', 'oracle', 'profiles', 'busy.mjs');
const MEGABYTE = 1_000_000;
/** Of resident memory per byte of a large file. */
const MOST_PER_BYTE = 1.5;
/** What a machine with 4 GB gives; DevTools' model of the largest file needs more. */
const HEAP_MB = 3500;

interface Failed {
  readonly failed: string;
}

const run = promisify(execFile);

export const cpuRead: Campaign = {
  name: 'cpu-read',
  shows: 'a 500 MB cpuprofile opens within 1.5 bytes of memory per byte, in one pass',
  run: async (campaign) => {
    installPackage(join(ROOT, 'test', 'oracle'), 'test/oracle', (line) => campaign.say(line));
    await using folder = await temporaryFolder('cpu-read');
    const bundle = await bundleDevTools(join(folder.path, 'devtools'), 'cpu');
    const seed = join(folder.path, 'seed.cpuprofile');
    await run(process.execPath, [
      '--cpu-prof',
      `--cpu-prof-dir=${folder.path}`,
      '--cpu-prof-name=seed.cpuprofile',
      SEED,
      '3',
    ]);
    const sizes = campaign.isSmall ? [5, 20] : [47, 150, 500];
    const rows: string[][] = [];
    for (const size of sizes) {
      const file = join(folder.path, 'large.cpuprofile');
      await writeLargeProfile(seed, file, size * MEGABYTE);
      rows.push(...(await measureSize(campaign, file, bundle, size)));
      await rm(file);
    }
    campaign.table(['file', 'engine', 'processor', 'time', 'peak memory', 'memory per byte', 'samples'], rows);
  },
};

async function measureSize(campaign: CampaignRun, file: string, bundle: string, size: number): Promise<string[][]> {
  const rounds = campaign.isSmall ? 1 : 3;
  const ours: Cost[] = [];
  const theirs: (Cost | Failed)[] = [];
  // Taking turns, so that a busy minute of the machine meets both.
  for (let round = 0; round < rounds; round += 1) {
    ours.push((await campaign.row(`drover, ${size} MB, round ${round}`, () => measure('drover', file))) as Cost);
    // Once is enough to know that it does not end well.
    if (theirs.some((cost) => 'failed' in cost)) continue;
    theirs.push(await campaign.row(`devtools, ${size} MB, round ${round}`, () => measure('devtools', file, bundle)));
  }
  const perByte = median(ours.map(({ peakRssBytes, fileBytes }) => peakRssBytes / fileBytes));
  const opened = theirs.filter((cost): cost is Cost => !('failed' in cost));
  const isLarge = size >= 400;
  if (isLarge)
    campaign.bound(`${size} MB within ${MOST_PER_BYTE} bytes per byte`, perByte <= MOST_PER_BYTE, fixed(perByte, 2));
  if (opened.length > 0) {
    campaign.check(
      `${size} MB: the same nodes and samples as DevTools`,
      ours[0]?.nodes === opened[0]?.nodes && ours[0]?.samples === opened[0]?.samples,
      `${ours[0]?.nodes} nodes, ${ours[0]?.samples} samples`,
    );
    const cpu = medianRatio(
      ours.map(({ cpuMs }) => cpuMs),
      opened.map(({ cpuMs }) => cpuMs),
    );
    const memory = medianRatio(
      ours.map(({ peakRssBytes }) => peakRssBytes),
      opened.map(({ peakRssBytes }) => peakRssBytes),
    );
    campaign.bound(
      `${size} MB: no slower than JSON.parse and DevTools' model`,
      cpu <= 1,
      `${fixed(cpu, 2)} of its processor time`,
    );
    campaign.say(`${size} MB: ${fixed(memory, 2)} of its peak memory`);
  }
  const toRow = (engine: string, costs: readonly Cost[]): string[] => [
    `${size} MB`,
    engine,
    `${fixed(median(costs.map(({ cpuMs }) => cpuMs)) / 1000, 1)} s`,
    `${fixed(median(costs.map(({ wallMs }) => wallMs)) / 1000, 1)} s`,
    `${fixed(median(costs.map(({ peakRssBytes }) => peakRssBytes)) / MEGABYTE, 0)} MB`,
    fixed(median(costs.map(({ peakRssBytes, fileBytes }) => peakRssBytes / fileBytes)), 2),
    String(costs[0]?.samples),
  ];
  const failure = theirs.find((cost): cost is Failed => 'failed' in cost);
  return [
    toRow('drover', ours),
    opened.length > 0
      ? toRow('JSON.parse + DevTools', opened)
      : [`${size} MB`, 'JSON.parse + DevTools', failure?.failed ?? '', '', '', '', ''],
  ];
}

async function measure(engine: 'drover' | 'devtools', file: string, ...rest: string[]): Promise<Cost | Failed> {
  const options = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_MB}`];
  try {
    const { stdout } = await run(process.execPath, [...options, MEASURE, engine, file, ...rest]);
    return JSON.parse(stdout) as Cost;
  } catch (error) {
    if (engine === 'drover') throw error;
    const text = String((error as { stderr?: string }).stderr);
    return {
      failed: /heap out of memory/.test(text)
        ? `out of ${HEAP_MB} MB`
        : (/^\w*Error: .*$/m.exec(text)?.[0] ?? 'failed'),
    };
  }
}
