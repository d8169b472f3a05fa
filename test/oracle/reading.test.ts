/** What is read from a real snapshot is what JSON.parse reads, of every supported Node, compressed or not. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { BadFile, EDGE_TYPE_NAMES, type HeapGraph, NODE_TYPE_NAMES, readSnapshot } from '../../src/heap/index.ts';
import { listNodes } from '../support/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const PROGRAM = join(import.meta.dirname, 'heaps', 'many-kinds.mjs');

interface RawSnapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly (readonly string[])[];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly (readonly string[])[];
    };
    readonly extra_native_bytes?: number;
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly locations: readonly number[];
  readonly strings: readonly string[];
}

describe('reading of heap snapshots', () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder('reading');
  });
  after(() => folder[Symbol.asyncDispose]());

  for (const node of listNodes()) {
    it(`reads what JSON.parse does from a file of ${node.name}`, async () => {
      const file = join(folder.path, `${node.major}.heapsnapshot`);
      await promisify(execFile)(node.path, [PROGRAM, file, '100'], { cwd: folder.path });
      compare(await readSnapshot(file), JSON.parse(await readFile(file, 'utf8')) as RawSnapshot);
    });
  }

  it('reads gzip and zstd, whatever the file is called, and says what is wrong with a damaged one', async () => {
    const plain = join(folder.path, 'plain.heapsnapshot');
    await promisify(execFile)(process.execPath, [PROGRAM, plain, '10'], { cwd: folder.path });
    const bytes = await readFile(plain);
    const expected = JSON.parse(bytes.toString('utf8')) as RawSnapshot;
    for (const [name, compressed] of [
      ['a.heapsnapshot.gz', gzipSync(bytes, { level: 1 })],
      ['b.heapsnapshot', zstdCompressSync(bytes)],
    ] as const) {
      const file = join(folder.path, name);
      await writeFile(file, compressed);
      compare(await readSnapshot(file), expected);
      await writeFile(file, compressed.subarray(0, compressed.length / 2));
      await assert.rejects(readSnapshot(file), BadFile);
    }
  });

  it('tells how far it is, and stops when it is told to', async () => {
    const file = join(folder.path, 'stopped.heapsnapshot');
    await promisify(execFile)(process.execPath, [PROGRAM, file, '10'], { cwd: folder.path });
    const seen: number[] = [];
    const stop = new AbortController();
    const reading = readSnapshot(file, {
      signal: stop.signal,
      onProgress: (done, total) => {
        seen.push(done / total);
        if (done > total / 2) stop.abort(new Error('enough'));
      },
    });
    await assert.rejects(reading, /enough/);
    assert.ok(seen.length > 1 && (seen.at(-1) as number) < 1, `progress ${seen.join(' ')}`);
    // The reader can be used again at once.
    assert.ok((await readSnapshot(file)).nodeCount > 1000);
  });

  it('leaves errors of the file system as they are', async () => {
    await assert.rejects(readSnapshot(join(folder.path, 'absent')), { code: 'ENOENT' });
    await assert.rejects(readSnapshot(folder.path), { code: 'EISDIR' });
  });
});

function compare(graph: HeapGraph, { snapshot, nodes, edges, locations, strings }: RawSnapshot): void {
  const { node_fields, node_types, edge_fields, edge_types } = snapshot.meta;
  const nodeWidth = node_fields.length;
  const edgeWidth = edge_fields.length;
  assert.deepEqual([graph.nodeCount * nodeWidth, graph.edgeCount * edgeWidth], [nodes.length, edges.length]);
  assert.equal(graph.strings.count, strings.length);
  for (const [at, text] of strings.entries()) assert.equal(graph.strings.get(at), text);
  const at = (list: readonly number[], fields: readonly string[], record: number, field: string): number =>
    list[record * fields.length + fields.indexOf(field)] as number;
  let edge = 0;
  for (let node = 0; node < graph.nodeCount; node += 1) {
    const field = (name: string): number => at(nodes, node_fields, node, name);
    const own = [graph.nodeName[node], graph.nodeId[node], graph.selfSize[node], graph.detachedness[node]];
    assert.deepEqual(own, ['name', 'id', 'self_size', 'detachedness'].map(field));
    assert.equal(
      NODE_TYPE_NAMES[graph.nodeType[node] as number],
      node_types[node_fields.indexOf('type')]?.[field('type')],
    );
    assert.equal(graph.firstEdge[node], edge);
    edge += field('edge_count');
  }
  for (let edge = 0; edge < graph.edgeCount; edge += 1) {
    const field = (name: string): number => at(edges, edge_fields, edge, name);
    assert.equal(graph.edgeName[edge], field('name_or_index'));
    assert.equal((graph.edgeTo[edge] as number) * nodeWidth, field('to_node'));
    assert.equal(
      EDGE_TYPE_NAMES[graph.edgeType[edge] as number],
      edge_types[edge_fields.indexOf('type')]?.[field('type')],
    );
  }
  const places = new Map<number, readonly number[]>();
  for (let at = 0; at < locations.length; at += 4)
    places.set((locations[at] as number) / nodeWidth, locations.slice(at + 1, at + 4));
  const { locations: own } = graph;
  assert.equal(own.count, places.size);
  for (let at = 0; at < own.count; at += 1)
    assert.deepEqual([own.scriptId[at], own.line[at], own.column[at]], places.get(own.node[at] as number));
  assert.equal(graph.extraNativeBytes, snapshot.extra_native_bytes ?? 0);
}
