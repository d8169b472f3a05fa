/**
 * The types of nodes and edges by name, in a numbering of our own: files number them as they like (Node 20 has a type that
 * 22 to 26 lack), so a reader maps names to these once and nothing behind it looks at a file's numbers.
 */
export const NODE_TYPE_NAMES = [
  'hidden',
  'array',
  'string',
  'object',
  'code',
  'closure',
  'regexp',
  'number',
  'native',
  'synthetic',
  'concatenated string',
  'sliced string',
  'symbol',
  'bigint',
  'object shape',
  'wasm object',
  /** A name that no Node up to 26 writes. */
  'unknown',
] as const;

export const EDGE_TYPE_NAMES = [
  'context',
  'element',
  'property',
  'internal',
  'hidden',
  'shortcut',
  'weak',
  'unknown',
] as const;

export type NodeTypeName = (typeof NODE_TYPE_NAMES)[number];
export type EdgeTypeName = (typeof EDGE_TYPE_NAMES)[number];

/** Numbers for comparisons in loops: `nodeType[node] === NODE.closure`. */
export const NODE = Object.fromEntries(NODE_TYPE_NAMES.map((name, at) => [name, at])) as Record<NodeTypeName, number>;
export const EDGE = Object.fromEntries(EDGE_TYPE_NAMES.map((name, at) => [name, at])) as Record<EdgeTypeName, number>;
