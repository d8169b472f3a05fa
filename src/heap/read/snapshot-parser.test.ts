import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BadFile } from '../../input/index.ts';
import type { HeapGraph } from '../model/graph.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { borrowWasmReader, returnWasmReader } from './wasm-reader.ts';
import { parseSnapshot } from './read-snapshot.ts';
import { SnapshotParser } from './snapshot-parser.ts';

const META = {
  // Another order than V8's, one field and one type that nobody knows.
  node_fields: ['id', 'type', 'future', 'self_size', 'name', 'edge_count', 'detachedness'],
  node_types: ['number', ['synthetic', 'object', 'new kind', 'string'], 'number'],
  edge_fields: ['to_node', 'name_or_index', 'type'],
  edge_types: ['node', 'string_or_number', ['property', 'element', 'weak']],
  location_fields: ['object_index', 'script_id', 'line', 'column'],
};

const NODES = [
  [1, 0, 7, 0, 0, 2, 0],
  [3, 1, 7, 32, 1, 1, 2],
  [4_294_967_301, 2, 7, 5_000_000_000, 2, 0, 0],
];
const EDGES = [
  [7, 1, 0],
  [14, 4_000_000_000, 1],
  [14, 2, 2],
];
const STRINGS = ['', 'Objekt "ä" \\ \u{1f600}\n', 'a\ud800b', '\u0001'];

const tiny = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  snapshot: { meta: META, node_count: 3, edge_count: 3, extra_native_bytes: 9 },
  nodes: NODES.flat(),
  edges: EDGES.flat(),
  future_section: { deep: [['"]}', { x: 'y\\"' }], null, true, 1.5e3] },
  locations: [7, 5, 10, 20, 14, 6, -1, 3],
  strings: STRINGS,
  ...changes,
});

const parse = (text: string | Uint8Array): Promise<HeapGraph> => parseSnapshot([Buffer.from(text)], 'tiny');

/** What can be compared: the columns as lists, the strings decoded. */
function plain(graph: HeapGraph): unknown {
  const { strings, ...rest } = graph;
  return {
    ...Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [
        key,
        ArrayBuffer.isView(value) ? Array.from(value as Uint32Array) : value,
      ]),
    ),
    locations: Object.values(graph.locations).map((column) =>
      typeof column === 'number' ? column : Array.from(column),
    ),
    strings: Array.from({ length: strings.count }, (_, at) => strings.get(at)),
  };
}

describe('snapshot parser', () => {
  it('reads fields by name, skips what it does not know, and keeps numbers of more than 32 bits', async () => {
    const graph = await parse(JSON.stringify(tiny()));
    assert.deepEqual(plain(graph), {
      nodeCount: 3,
      edgeCount: 3,
      nodeType: [NODE.synthetic, NODE.object, NODE.unknown],
      nodeName: [0, 1, 2],
      nodeId: [1, 3, 4_294_967_301],
      selfSize: [0, 32, 5_000_000_000],
      detachedness: [0, 2, 0],
      firstEdge: [0, 2, 3, 3],
      edgeType: [EDGE.property, EDGE.element, EDGE.weak],
      edgeName: [1, 4_000_000_000, 2],
      edgeTo: [1, 2, 2],
      extraNativeBytes: 9,
      allocations: null,
      samples: { count: 0, timestampUs: new Float64Array(0), lastAssignedId: new Float64Array(0) },
      locations: [2, [1, 2], [5, 6], [10, 4_294_967_295], [20, 3]],
      strings: STRINGS,
    });
  });

  it('reads the same wherever the chunks are cut, escaped or not, with blanks or without', async () => {
    for (const text of [
      JSON.stringify(tiny()),
      JSON.stringify(tiny(), null, ' \t\r\n'),
      JSON.stringify(tiny()).replaceAll(/[^ -~]/gu, (wide) => JSON.stringify(wide).slice(1, -1)),
    ]) {
      const bytes = Buffer.from(text);
      const expected = plain(await parse(bytes));
      for (let cut = 0; cut <= bytes.length; cut += 1)
        assert.deepEqual(plain(await parseSnapshot([bytes.subarray(0, cut), bytes.subarray(cut)], 'tiny')), expected);
      const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      assert.deepEqual(plain(await parseSnapshot(single, 'tiny')), expected);
    }
  });

  it('reads numbers with and without the digit reader as JSON.parse does', async () => {
    const numbers = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 99_999 }),
        fc.integer({ min: 0, max: 4_294_967_295 }),
      ),
      { minLength: 1, maxLength: 400 },
    );
    const separator = fc.constantFrom(',', '\n,', ',', ', ', ' ,\n');
    await fc.assert(
      fc.asyncProperty(numbers, separator, fc.integer({ min: 0, max: 3000 }), async (ids, between, cut) => {
        const list = ids.map((id) => [id, 1, 0, 8, 0, 0, 0].join(between)).join(between);
        const text = JSON.stringify(tiny({ snapshot: { meta: META }, nodes: [], edges: [], locations: [] }));
        const bytes = Buffer.from(text.replace('"nodes":[]', `"nodes":[${list}]`));
        const wasm = borrowWasmReader();
        assert.ok(wasm);
        for (const reader of [wasm, null]) {
          const parser = new SnapshotParser('numbers', Number.POSITIVE_INFINITY, reader);
          parser.push(bytes.subarray(0, cut));
          parser.push(bytes.subarray(cut));
          assert.deepEqual(Array.from(parser.finish().nodeId), ids);
        }
        returnWasmReader(wasm);
      }),
      { numRuns: 100 },
    );
  });

  it('believes what is there where the header has no counts', async () => {
    const graph = await parse(JSON.stringify(tiny({ snapshot: { meta: META } })));
    assert.deepEqual([graph.nodeCount, graph.edgeCount], [3, 3]);
  });

  const refusals: readonly [string, string, RegExp][] = [
    ['an empty file', '', /^tiny: the file is empty$/],
    ['something else', 'GIF89a', /at byte 0: not a heap snapshot: an object was expected, found "G"/],
    ['no nodes', JSON.stringify({ ...tiny(), nodes: undefined, edges: undefined }), /it has no section "nodes"/],
    ['no header', JSON.stringify({ nodes: [] }), /the section "snapshot" must come before "nodes"/],
    ['a header without fields', JSON.stringify({ snapshot: { meta: {} } }), /at snapshot.meta.node_fields: is missing/],
    ['a section twice', '{"strings":[],"strings":[]}', /the section "strings" is there twice/],
    ['a fraction', JSON.stringify(tiny({ nodes: [1.5] })), /\(nodes\): a comma was expected, found "\."/],
    [
      'a word for a number',
      JSON.stringify(tiny({ edges: [null] })),
      /\(edges\): a whole number was expected, found "n"/,
    ],
    [
      'two commas',
      JSON.stringify(tiny()).replace('[1,0,7', '[1,,0,7'),
      /\(nodes\): a whole number was expected, found ","/,
    ],
    ['half a record', JSON.stringify(tiny({ nodes: [1, 0] })), /at nodes\[0\]: the list ends before future/],
    ['too few nodes', JSON.stringify(tiny({ snapshot: { meta: META, node_count: 4 } })), /says 4 nodes, there are 3/],
    [
      'too many edges',
      JSON.stringify(tiny({ edges: [...EDGES.flat(), 7, 0, 0] })),
      /edges\[3\]: the nodes have only 3/,
    ],
    ['too few edges', JSON.stringify(tiny({ edges: [7, 0, 0] })), /the nodes have 3 edges, there are 1/],
    ['an edge to the middle', JSON.stringify(tiny({ edges: [8, 0, 0] })), /edges\[0\].to_node: no node begins at 8/],
    ['an edge too far', JSON.stringify(tiny({ edges: [21, 0, 0] })), /edges\[0\].to_node: no node begins at 21/],
    ['a type too many', JSON.stringify(tiny({ nodes: [1, 9, 0, 0, 0, 0, 0] })), /nodes\[0\].type: there is no type 9/],
    ['a size below zero', JSON.stringify(tiny({ nodes: [1, 0, 0, -8, 0, 0, 0] })), /nodes\[0\].self_size: -8 is below/],
    ['a name too far', JSON.stringify(tiny({ strings: ['', 'one'] })), /nodes\[2\].name: there is no string 2, only 2/],
    [
      'an edge without a name',
      JSON.stringify(tiny({ edges: [7, 4, 0, 14, 1, 1, 14, 2, 2] })),
      /edges\[0\].name_or_index/,
    ],
    ['a place of nothing', JSON.stringify(tiny({ locations: [6, 0, 0, 0] })), /locations\[0\].object_index: no node/],
    [
      'a number for a string',
      JSON.stringify(tiny({ strings: [1] })),
      /\(strings\[0\]\): a string was expected, found "1"/,
    ],
    ['something behind it', `${JSON.stringify(tiny())} {`, /the snapshot had ended, found "{"/],
    ['another root', JSON.stringify(tiny({ snapshot: { meta: META, root_index: 7 } })), /at snapshot.root_index: only/],
    [
      'a count that is none',
      JSON.stringify(tiny({ snapshot: { meta: META, node_count: -1 } })),
      /at snapshot.node_count: a/,
    ],
  ];
  for (const [what, text, message] of refusals) {
    it(`refuses ${what} and says where`, async () => {
      await assert.rejects(parse(text), (error) => error instanceof BadFile && message.test(error.message));
    });
  }

  it('refuses a file that ends early, wherever it ends', async () => {
    const bytes = Buffer.from(JSON.stringify(tiny()));
    for (let end = 1; end < bytes.length; end += 1)
      await assert.rejects(parse(bytes.subarray(0, end)), (error) => {
        assert.ok(error instanceof BadFile);
        return /the file ends (in the section "\w+"|after the last section)/.test(error.message);
      });
  });

  it('allocates no more than the file could fill, whatever its counts say', async () => {
    const text = JSON.stringify(tiny({ snapshot: { meta: META, node_count: 2 ** 52, edge_count: 2 ** 52 } }));
    const parser = new SnapshotParser('tiny', text.length, null);
    assert.throws(() => parser.push(Buffer.from(text)), /says 4503599627370496 nodes, there are 3/);
  });
});
