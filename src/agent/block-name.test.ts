import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameBlock, nameStack, NAMELESS } from './block-name.ts';
import type { CpuProfile, ProfileNode } from './cpu-profile.ts';

const AGENT = '/opt/drover/agent.cjs';
const SOURCE = `const x = 1;
function work() {
  prepare();
  return readFileSync('/etc/hosts');
}
`;

let nextId = 0;

/** A node and its children; `lines`: of the samples with it on top. */
function node(name: string, url: string, children: ProfileNode[] = [], lines: readonly number[] = []): ProfileNode[] {
  const id = ++nextId;
  const own: ProfileNode = {
    id,
    callFrame: { functionName: name, url, lineNumber: url === '' ? -1 : 1, columnNumber: url === '' ? -1 : 13 },
    children: children.map((child) => child.id),
    positionTicks: lines.map((line) => ({ line, ticks: 1 })),
  };
  return [own, ...children];
}

/** One stack per list, outermost first: a profile whose samples are `stacks` 50 ms apart from 0. */
function profileOf(stacks: readonly (readonly (readonly [name: string, url: string, line?: number])[])[]): CpuProfile {
  const nodes: ProfileNode[] = [];
  const samples: number[] = [];
  for (const stack of stacks) {
    let below: ProfileNode[] = [];
    for (const [name, url, line] of [['(root)', ''] as const, ...stack].toReversed()) {
      const [own] = node(name, url, below, line === undefined ? [] : [line]);
      if (own === undefined) continue;
      nodes.push(own);
      if (below.length === 0) samples.push(own.id);
      below = [own];
    }
  }
  return { nodes, startTime: 0, endTime: stacks.length * 50_000, samples, timeDeltas: samples.map(() => 50_000) };
}

const name = (profile: CpuProfile, fromUs = 0, toUs = profile.endTime): ReturnType<typeof nameBlock> =>
  nameBlock(profile, {
    fromUs,
    toUs,
    agentFile: AGENT,
    readSource: (file) => (file === '/app/work.js' ? SOURCE : null),
  });

describe('The name of a block', () => {
  it("is the application's innermost function, at the line of the call, and what it called", () => {
    const stack = [
      ['serve', '/app/node_modules/express/lib/router.js'],
      ['work', '/app/work.js'],
      ['readFileSync', 'node:fs'],
      ['read', ''],
    ] as const;
    const { place, within, share, stack: shown } = name(profileOf([stack, stack]));
    assert.deepEqual(place, { function: 'work', file: '/app/work.js', line: 4, column: 10 });
    assert.deepEqual([within, share], ['readFileSync', 1]);
    assert.deepEqual(
      shown.map((one) => one.function),
      ['serve', 'work', 'readFileSync', 'read'],
    );
  });

  it('counts only what lies within the block, and time where there are few samples', () => {
    const before = [['earlier', '/app/other.js', 7]] as const;
    const during = [['work', '/app/work.js', 3]] as const;
    const profile = profileOf([before, before, before, during]);
    // The process was in the kernel for nine tenths of a second: one sample stands for all of it.
    const slow = { ...profile, timeDeltas: [50_000, 50_000, 50_000, 900_000], endTime: 1_050_000 };
    const { place, share } = name(slow, 100_000);
    assert.deepEqual(place, { function: 'work', file: '/app/work.js', line: 3, column: 1 });
    assert.ok(Math.abs((share ?? 0) - 900 / 950) < 0.01, String(share));
  });

  it('is of a package where the application is not there at all, and of nothing where nothing was sampled', () => {
    const inside = [['parse', 'file:///app/node_modules/%40x/y/parse.mjs', 9]] as const;
    assert.deepEqual(name(profileOf([inside])).place?.file, '/app/node_modules/@x/y/parse.mjs');
    assert.deepEqual(name(profileOf([[['tick', AGENT, 1]], [['(program)', '']]])), NAMELESS);
    assert.deepEqual(name(profileOf([])), NAMELESS);
  });

  it('says which package the application has called, and gives collections of garbage to whom they interrupt', () => {
    const call = [
      ['work', '/app/work.js'],
      ['deep', '/app/node_modules/slow/index.js'],
    ] as const;
    const { within, share } = name(profileOf([call, [['(garbage collector)', '']], call]));
    assert.deepEqual([within, share], ['deep (slow)', 1]);
  });

  it('of a stack that was interrupted has the line where it stood', () => {
    const frames = [
      { functionName: 'getStderr', url: 'node:internal/child_process', lineNumber: 3, columnNumber: 2 },
      { functionName: 'execSync', url: 'node:child_process', lineNumber: 3, columnNumber: 2 },
      { functionName: 'work', url: 'file:///app/work.js', lineNumber: 3, columnNumber: 9 },
    ];
    const { place, within } = nameStack(frames, { agentFile: AGENT, readSource: () => SOURCE });
    assert.deepEqual(place, { function: 'work', file: '/app/work.js', line: 4, column: 10 });
    assert.equal(within, 'execSync');
  });
});
