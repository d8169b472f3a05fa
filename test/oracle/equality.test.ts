/**
 * Node by node and class by class, our figures equal those of Chrome DevTools' heap worker for the same file: snapshots
 * written by every supported Node, a large one, one with V8's internals, and an allocation timeline.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { analyzeSnapshot, findAllocationStack, type HeapAnalysis, SYSTEM_DISTANCE } from '../../src/heap/index.ts';
import { listNodes, type TestNode } from '../support/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';
import { bundleDevTools } from './bundle-devtools.ts';
import { type DevToolsSnapshot, loadInDevTools } from './devtools.ts';

const PROGRAM = join(import.meta.dirname, 'heaps', 'many-kinds.mjs');

describe('heap analysis, against the heap worker of Chrome DevTools', () => {
  let folder: TemporaryFolder;
  let bundle = '';
  before(async () => {
    folder = await temporaryFolder('oracle');
    bundle = await bundleDevTools(join(folder.path, 'devtools'));
  });
  after(() => folder[Symbol.asyncDispose]());

  const MEGABYTE = 1_000_000;
  for (const node of listNodes()) {
    it(`is equal on a file of at least 10 MB of ${node.name}`, async () => {
      const file = await write(node, 4_000, 'plain');
      await compare(file, 10 * MEGABYTE);
    });
  }

  it('is equal on a file of at least 90 MB', async () => {
    const [running] = listNodes();
    assert.ok(running);
    const file = await write(running, 56_000, 'plain');
    await compare(file, 90 * MEGABYTE);
  });

  for (const kind of ['internals', 'timeline']) {
    for (const node of listNodes()) {
      it(`is equal on a file with ${kind} of ${node.name}`, async () => {
        const file = await write(node, 200, kind);
        if (kind === 'timeline') await correctFunctionCount(file);
        await compare(file, MEGABYTE);
      });
    }
  }

  async function write(node: TestNode, count: number, kind: string): Promise<string> {
    const file = join(folder.path, `${kind}-${node.major}-${count}.heapsnapshot`);
    await promisify(execFile)(node.path, [PROGRAM, file, String(count), kind], { cwd: folder.path });
    return file;
  }

  async function compare(file: string, leastBytes: number): Promise<void> {
    const { size } = await stat(file);
    assert.ok(size >= leastBytes, `the file has only ${size} bytes`);
    const theirs = await loadInDevTools(bundle, file);
    const ours = await analyzeSnapshot(file);
    await rm(file);
    compareNodes(ours, theirs);
    compareStacks(ours, theirs);
    compareClasses(ours, theirs);
    assert.equal(ours.totalBytes, theirs.totalSize);
  }
});

function compareNodes(ours: HeapAnalysis, theirs: DevToolsSnapshot): void {
  const { graph } = ours;
  assert.equal(graph.nodeCount, theirs.nodeCount);
  const node = theirs.createNode(0);
  let merged = 0;
  for (let at = 0; at < graph.nodeCount; at += 1) {
    node.nodeIndex = at * theirs.nodeFieldCount;
    const own = [
      ours.retainedSize[at],
      ours.distance[at],
      ours.dominator[at],
      ours.shallowSize[at],
      ours.classes[ours.classOf[at] as number]?.name,
    ];
    const expected = [
      theirs.retainedSizes[at],
      theirs.nodeDistances[at],
      theirs.dominatorsTree[at],
      node.selfSize(),
      node.className(),
    ];
    if (own.some((value, which) => value !== expected[which]))
      assert.deepEqual(
        own,
        expected,
        `node ${at}, ${node.type()} ${node.name()}: retained, distance, dominator, shallow, class`,
      );
    if (graph.selfSize[at] !== ours.shallowSize[at]) merged += 1;
  }
  // With V8's internals in the file nothing is merged: it has no globals of the program.
  const hasGlobals = ours.distance[0] === SYSTEM_DISTANCE;
  assert.ok(!hasGlobals || merged > graph.nodeCount / 50, `only ${merged} nodes were merged or grew by one that was`);
}

function compareStacks({ graph }: HeapAnalysis, theirs: DevToolsSnapshot): void {
  if (graph.allocations === null) return;
  let known = 0;
  for (let at = 0; at < graph.nodeCount; at += 1) {
    if (graph.allocations.traceNodeId[at] === 0) continue;
    const own = findAllocationStack(graph, at).map(({ name: functionName, ...place }) => ({ functionName, ...place }));
    const expected = (theirs.allocationStack(at * theirs.nodeFieldCount) ?? []).map((frame) => ({ ...frame }));
    // They count the root of the tree as a function.
    assert.equal(expected.pop()?.functionName, '(root)');
    assert.deepEqual(own, expected, `stack of node ${at}`);
    known += 1;
  }
  assert.ok(known > 100, `only ${known} nodes have a stack`);
}

/** V8 counts the functions before it writes them, by when there may be more; DevTools believes the count and breaks. */
async function correctFunctionCount(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const numbers = /"trace_function_infos":\[([^\]]*)\]/.exec(text)?.[1]?.split(',') ?? [];
  await writeFile(file, text.replace(/"trace_function_count":\d+/, `"trace_function_count":${numbers.length / 6}`));
}

function compareClasses(ours: HeapAnalysis, theirs: DevToolsSnapshot): void {
  const own: Record<string, readonly number[]> = {};
  for (const { name, location, count, shallowBytes, retainedBytes } of ours.classes) {
    if (count === 0) continue;
    const place = location === null ? '' : `${location.scriptId},${location.line},${location.column}`;
    const key = `${place},${name}`;
    assert.equal(own[key], undefined, `the class ${key} is there twice`);
    own[key] = [count, shallowBytes, retainedBytes];
  }
  const expected: Record<string, readonly number[]> = {};
  for (const [key, { count, self, maxRet }] of Object.entries(theirs.getAggregatesByClassKey(false)))
    expected[key] = [count, self, maxRet];
  assert.deepEqual(own, expected);
}
