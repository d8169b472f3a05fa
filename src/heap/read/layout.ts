/**
 * The section `snapshot`: what the columns of this file are called and in which order they stand. Fields are found by
 * name, types by the name that stands at the index of `type`: Node 24 lists one type more than it has fields.
 */
import { EDGE_TYPE_NAMES, NODE_TYPE_NAMES } from '../model/node-types.ts';
import { fail } from './value-reader.ts';

export interface SectionLayout {
  readonly fields: readonly string[];
  /** Position of a field in a record; −1 where this file does not have it. */
  at(field: string): number;
}

export interface SnapshotLayout {
  readonly nodes: SectionLayout;
  readonly edges: SectionLayout;
  readonly locations: SectionLayout | null;
  readonly traceFunctions: SectionLayout | null;
  readonly traceNodes: SectionLayout | null;
  readonly samples: SectionLayout | null;
  /** By the file's number: a value of `NODE` or `EDGE`. */
  readonly nodeTypes: Uint8Array;
  readonly edgeTypes: Uint8Array;
  /** What the header says; null where it does not. */
  readonly nodeCount: number | null;
  readonly edgeCount: number | null;
  readonly extraNativeBytes: number;
  /** Were allocations tracked when the file was written? */
  readonly isTracked: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const NEEDED = {
  node_fields: ['type', 'name', 'id', 'self_size', 'edge_count'],
  edge_fields: ['type', 'name_or_index', 'to_node'],
  location_fields: ['object_index', 'script_id', 'line', 'column'],
  trace_function_info_fields: ['function_id', 'name', 'script_name', 'script_id', 'line', 'column'],
  trace_node_fields: ['id', 'function_info_index', 'count', 'size', 'children'],
  sample_fields: ['timestamp_us', 'last_assigned_id'],
} as const;

/** Reads the header; `text` is its JSON. Throws `BadFile` for what cannot be a snapshot. */
export function parseLayout(text: string, file: string): SnapshotLayout {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    return fail(file, 'snapshot', `not JSON (${(error as Error).message})`);
  }
  if (!isObject(header)) return fail(file, 'snapshot', 'an object was expected');
  const { meta } = header;
  if (!isObject(meta)) return fail(file, 'snapshot.meta', 'an object was expected');
  if (header['root_index'] !== undefined && header['root_index'] !== 0)
    return fail(file, 'snapshot.root_index', 'only snapshots whose first node is the root can be read');
  const nodes = readSection(meta, 'node_fields', file) ?? fail(file, 'snapshot.meta.node_fields', 'is missing');
  const edges = readSection(meta, 'edge_fields', file) ?? fail(file, 'snapshot.meta.edge_fields', 'is missing');
  return {
    nodes,
    edges,
    locations: readSection(meta, 'location_fields', file),
    traceFunctions: readSection(meta, 'trace_function_info_fields', file),
    traceNodes: readSection(meta, 'trace_node_fields', file),
    samples: readSection(meta, 'sample_fields', file),
    nodeTypes: readTypes(meta, 'node_types', nodes.at('type'), NODE_TYPE_NAMES, file),
    edgeTypes: readTypes(meta, 'edge_types', edges.at('type'), EDGE_TYPE_NAMES, file),
    nodeCount: readCount(header, 'node_count', file),
    edgeCount: readCount(header, 'edge_count', file),
    extraNativeBytes: readCount(header, 'extra_native_bytes', file) ?? 0,
    isTracked: (readCount(header, 'trace_function_count', file) ?? 0) > 0,
  };
}

function readSection(meta: Json, key: keyof typeof NEEDED, file: string): SectionLayout | null {
  const fields = meta[key];
  if (fields === undefined) return null;
  const where = `snapshot.meta.${key}`;
  if (!isTexts(fields)) return fail(file, where, 'a list of names was expected');
  if (fields.length > 64) return fail(file, where, `${fields.length} fields are more than any snapshot has`);
  const missing = NEEDED[key].find((field) => !fields.includes(field));
  if (missing !== undefined) return fail(file, where, `has no field "${missing}"`);
  return { fields, at: (field) => fields.indexOf(field) };
}

function readTypes(meta: Json, key: string, at: number, known: readonly string[], file: string): Uint8Array {
  const where = `snapshot.meta.${key}[${at}]`;
  const types = meta[key];
  const names: unknown = Array.isArray(types) ? types[at] : undefined;
  if (!isTexts(names)) return fail(file, where, 'a list of names was expected');
  const unknown = known.indexOf('unknown');
  return Uint8Array.from(names, (name) => (known.includes(name) ? known.indexOf(name) : unknown));
}

function readCount(header: Json, key: string, file: string): number | null {
  const count = header[key];
  if (count === undefined) return null;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  return fail(file, `snapshot.${key}`, `a whole number was expected, found ${JSON.stringify(count)}`);
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
