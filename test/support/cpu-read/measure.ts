/**
 * Opens a cpuprofile, adds up self and total time by function, and says what it cost, in a process of its own:
 * `measure.ts drover FILE` or `measure.ts devtools FILE BUNDLE`, where the bundle is DevTools' model of CPU profiles.
 */
import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { listTotals, readCpuProfile } from '../../../src/cpu/index.ts';

export interface Cost {
  readonly fileBytes: number;
  readonly wallMs: number;
  /** User and system time of all threads. */
  readonly cpuMs: number;
  readonly peakRssBytes: number;
  readonly nodes: number;
  readonly samples: number;
}

interface Counts {
  readonly nodes: number;
  readonly samples: number;
}

async function openWithDrover(file: string): Promise<Counts> {
  const profile = await readCpuProfile(file);
  if (listTotals(profile).length === 0) throw new Error('no functions');
  return { nodes: profile.nodeCount, samples: profile.samples.count };
}

async function openWithDevTools(file: string, bundle: string): Promise<Counts> {
  const { CPUProfileDataModel } = (await import(pathToFileURL(bundle).href)) as {
    readonly CPUProfileDataModel: {
      readonly CPUProfileDataModel: new (profile: unknown) => { readonly samples: readonly number[] };
    };
  };
  const raw = JSON.parse(readFileSync(file, 'utf8')) as { readonly nodes: readonly unknown[] };
  const nodes = raw.nodes.length;
  const model = new CPUProfileDataModel.CPUProfileDataModel(raw);
  return { nodes, samples: model.samples.length };
}

const [engine, file = '', bundle = ''] = process.argv.slice(2);
const startedAt = performance.now();
const counts = engine === 'devtools' ? await openWithDevTools(file, bundle) : await openWithDrover(file);
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage();
const cost: Cost = {
  fileBytes: statSync(file).size,
  wallMs,
  cpuMs: (user + system) / 1000,
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
  ...counts,
};
process.stdout.write(JSON.stringify(cost));
