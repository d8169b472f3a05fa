/**
 * Self and total time of every node of a CPU profile equal those of the model that Chrome DevTools reads it with, on real
 * profiles of every supported Node. DevTools has two answers, and both are compared: counts of hits times the average
 * interval (its tree), and the real time between samples (its flame chart).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type CpuProfile, listTotals, readCpuProfile, totalUsByNode } from '../../src/cpu/index.ts';
import { listNodes } from '../support/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';
import { bundleDevTools } from './bundle-devtools.ts';

interface DevToolsNode {
  readonly id: number;
  readonly functionName: string;
  readonly self: number;
  readonly total: number;
  readonly parent: DevToolsNode | null;
  readonly children: readonly DevToolsNode[];
}

interface DevToolsModel {
  readonly profileHead: DevToolsNode;
  readonly samples: readonly number[];
  readonly timestamps: readonly number[];
  forEachFrame(
    onOpen: (depth: number, node: DevToolsNode) => void,
    onClose: (depth: number, node: DevToolsNode, sample: number, at: number, total: number, self: number) => void,
  ): void;
}

interface RawProfile {
  readonly nodes: readonly { readonly id: number }[];
  readonly startTime: number;
  readonly endTime: number;
}

type Model = new (profile: RawProfile) => DevToolsModel;

const PROGRAM = join(import.meta.dirname, 'profiles', 'busy.mjs');
const run = promisify(execFile);

describe('totals of CPU profiles, against the model of Chrome DevTools', () => {
  let folder: TemporaryFolder;
  let Plain: Model;
  let Faithful: Model;
  before(async () => {
    folder = await temporaryFolder('cpu-oracle');
    const bundle = await bundleDevTools(join(folder.path, 'devtools'), 'cpu');
    const { CPUProfileDataModel } = (await import(pathToFileURL(bundle).href)) as {
      readonly CPUProfileDataModel: { readonly CPUProfileDataModel: Model };
    };
    Plain = CPUProfileDataModel.CPUProfileDataModel;
    // DevTools replaces single samples of `(program)` by what ran before, a repair of its own to the file's data.
    class Unrepaired extends (Plain as new (profile: RawProfile) => DevToolsModel & { fixMissingSamples(): void }) {
      override fixMissingSamples(): void {
        // Left as the file has it.
      }
    }
    Faithful = Unrepaired;
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const node of listNodes()) {
    it(`are equal, node by node, for a profile of ${node.name}`, async () => {
      const name = `${node.major}.cpuprofile`;
      const options = [
        '--cpu-prof',
        '--cpu-prof-interval=500',
        `--cpu-prof-dir=${folder.path}`,
        `--cpu-prof-name=${name}`,
      ];
      await run(node.path, [...options, PROGRAM, '1.5']);
      await compare(join(folder.path, name));
    });
  }

  const disorders: Record<string, (deltas: number[]) => void> = {
    'a few samples are out of order and a gap is huge': (deltas) => {
      for (let at = 10; at + 1 < deltas.length; at += 50) deltas[at] = -(deltas[at] as number);
      deltas[5] = 3_000_000_000;
    },
    'samples are in wild disorder': (deltas) => {
      for (let at = 1; at < deltas.length; at += 1) deltas[at] = at * (at % 2 === 0 ? 100 : -99);
    },
  };
  for (const [name, disturb] of Object.entries(disorders)) {
    it(`are equal where ${name}`, async () => {
      const path = join(folder.path, 'disturbed.cpuprofile');
      const profile = JSON.parse(await readFile(join(folder.path, '24.cpuprofile'), 'utf8')) as {
        timeDeltas: number[];
      };
      disturb(profile.timeDeltas);
      await writeFile(path, JSON.stringify(profile));
      await compare(path);
    });
  }

  async function compare(path: string): Promise<void> {
    const profile = await readCpuProfile(path);
    const text = await readFile(path, 'utf8');
    const raw = JSON.parse(text) as RawProfile;
    assert.ok(profile.samples.count > 300, `only ${profile.samples.count} samples`);
    assert.ok(profile.nodeCount > 100, `only ${profile.nodeCount} nodes`);
    const idOf = raw.nodes.map(({ id }) => id);
    compareHits(profile, new Plain(JSON.parse(text) as RawProfile), raw, idOf);
    compareTimes(profile, new Faithful(JSON.parse(text) as RawProfile), idOf);
    compareFunctions(profile, new Plain(JSON.parse(text) as RawProfile), raw);
  }

  /** The tree: hits times the average interval, in milliseconds. */
  function compareHits(profile: CpuProfile, model: DevToolsModel, raw: RawProfile, idOf: readonly number[]): void {
    const nodes = new Map(listNodesOf(model.profileHead).map((found) => [found.id, found]));
    assert.equal(nodes.size, profile.nodeCount);
    const allHits = profile.hits.reduce((sum, count) => sum + count, 0);
    const intervalMs = (raw.endTime - raw.startTime) / 1000 / allHits;
    const byHits = totalUsByNode({ ...profile, selfUs: Float64Array.from(profile.hits) });
    for (let node = 0; node < profile.nodeCount; node += 1) {
      const { self, total, functionName, parent } = nodes.get(idOf[node] as number) as DevToolsNode;
      const what = `node ${idOf[node]} (${functionName})`;
      almostEqual((profile.hits[node] as number) * intervalMs, self, `self of ${what}`);
      almostEqual((byHits[node] as number) * intervalMs, total, `total of ${what}`);
      assert.equal(node === 0 ? undefined : idOf[profile.parent[node] as number], parent?.id, `parent of ${what}`);
    }
  }

  /** The samples: each lasts until the next one. */
  function compareTimes(profile: CpuProfile, model: DevToolsModel, idOf: readonly number[]): void {
    const { samples } = profile;
    assert.equal(samples.count, model.samples.length);
    const selfMs = new Map<number, number>();
    for (const [index, id] of model.samples.entries()) {
      const durationMs = (model.timestamps[index + 1] as number) - (model.timestamps[index] as number);
      assert.equal(idOf[samples.node[index] as number], id, `node of sample ${index}`);
      // DevTools keeps milliseconds since the machine started, which leaves a double some nanoseconds.
      assert.ok(Math.abs((samples.durationUs[index] as number) / 1000 - durationMs) < 1e-3, `sample ${index}`);
      selfMs.set(id, (selfMs.get(id) ?? 0) + durationMs);
    }
    for (let node = 0; node < profile.nodeCount; node += 1)
      assert.ok(Math.abs((profile.selfUs[node] as number) / 1000 - (selfMs.get(idOf[node] as number) ?? 0)) < 1e-2);
    let framesMs = 0;
    model.forEachFrame(
      () => undefined,
      (_depth, _node, _sample, _at, _total, self) => {
        framesMs += self;
      },
    );
    assert.ok(
      Math.abs(framesMs - profile.durationUs / 1000) < 1,
      `${framesMs} ms of frames, ${profile.durationUs / 1000} ms`,
    );
  }

  /** Functions: recursion counted once, as DevTools' bottom-up table does. */
  function compareFunctions(profile: CpuProfile, model: DevToolsModel, raw: RawProfile): void {
    const totals = new Map<string, { self: number; total: number }>();
    const visit = (node: DevToolsNode, open: ReadonlySet<string>): void => {
      const { callUID } = node as DevToolsNode & { readonly callUID: string };
      const key = callUID.replace(/@[0-9]+:/, ':');
      const known = totals.get(key) ?? { self: 0, total: 0 };
      known.self += node.self;
      if (!open.has(key)) known.total += node.total;
      totals.set(key, known);
      const inner = new Set(open).add(key);
      for (const child of node.children) visit(child, inner);
    };
    visit(model.profileHead, new Set());
    const allHits = profile.hits.reduce((sum, count) => sum + count, 0);
    const intervalMs = (raw.endTime - raw.startTime) / 1000 / allHits;
    const byKey = new Map<string, { self: number; total: number }>();
    for (const { functionIndex, selfUs, totalUs } of listTotals({
      ...profile,
      selfUs: Float64Array.from(profile.hits),
    })) {
      const { name, line, column } = profile.functions[functionIndex ?? 0] as CpuProfile['functions'][number];
      const key = `${name === '(anonymous)' ? '' : name}:${line - 1}:${column - 1}`;
      const known = byKey.get(key) ?? { self: 0, total: 0 };
      byKey.set(key, { self: known.self + selfUs * intervalMs, total: known.total + totalUs * intervalMs });
    }
    // Keys leave out the file, which DevTools knows by number only; functions that share a key would share recursion.
    let compared = 0;
    const shared = new Set<string>();
    const seen = new Set<string>();
    for (const { name, line, column } of profile.functions) {
      const key = `${name === '(anonymous)' ? '' : name}:${line - 1}:${column - 1}`;
      if (seen.has(key)) shared.add(key);
      seen.add(key);
    }
    for (const [key, { self, total }] of totals) {
      if (shared.has(key)) continue;
      almostEqual(byKey.get(key)?.self ?? Number.NaN, self, `self of ${key}`);
      almostEqual(byKey.get(key)?.total ?? Number.NaN, total, `total of ${key}`);
      compared += 1;
    }
    assert.ok(compared > 50, `only ${compared} functions`);
  }
});

function listNodesOf(root: DevToolsNode): DevToolsNode[] {
  const found = [root];
  for (const node of found) found.push(...node.children);
  return found;
}

/** Sums in another order differ in the last digits of a double. */
function almostEqual(actual: number, expected: number, what: string): void {
  const allowed = 1e-9 * Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= allowed, `${what}: ${actual}, DevTools ${expected}`);
}
