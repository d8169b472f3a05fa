/**
 * Names what blocked the event loop, from the samples of a profile that fall into the block: the function of the
 * application that most of the time was in, the line, and what it called there. A sample stands for the time since the one
 * before it: while the process is in a system call that nothing interrupts there are none, and the one after it tells.
 *
 * V8 tells lines only of the function on top. Of one that has called something the line is looked for in its source, and
 * is that of its beginning where there is not exactly one such call.
 */
import type { CodePlace, LoopBlock } from '../protocol/agent.ts';
import type { CpuProfile, ProfileNode } from './cpu-profile.ts';
import { findBuiltin, findCall } from './source-search.ts';

export type BlockName = Pick<LoopBlock, 'place' | 'within' | 'share' | 'stack'>;

export const NAMELESS: BlockName = { place: null, within: null, share: null, stack: [] };

const MAX_STACK = 32;
const MAX_WORD_LENGTH = 300;
const GARBAGE_COLLECTOR = '(garbage collector)';

/** How near to the operator's own code a frame is: 0 is theirs. */
const APPLICATION = 0;
const PACKAGE = 1;
const FOREIGN = 2;

interface Leaf {
  /** From the outermost function to the one on top. */
  readonly path: readonly ProfileNode[];
  /** Index of the place within `path`; -1 where nothing there has a place. */
  readonly at: number;
  weightUs: number;
}

export interface NamingOptions {
  /** Of the block, microseconds of the profile's clock. */
  readonly fromUs: number;
  readonly toUs: number;
  /** The agent's own frames are nobody's code. */
  readonly agentFile: string;
  /** Null where it cannot be read. */
  readonly readSource: (file: string) => string | null;
}

export function nameBlock(profile: CpuProfile, options: NamingOptions): BlockName {
  const leaves = weighLeaves(profile, options);
  const places = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const node = leaf.path[leaf.at];
    if (node === undefined) continue;
    const { url, functionName, lineNumber, columnNumber } = node.callFrame;
    const key = [url, functionName, lineNumber, columnNumber].join('\n');
    places.set(key, [...(places.get(key) ?? []), leaf]);
  }
  const group = [...places.values()].sort((a, b) => sum(b) - sum(a))[0];
  if (group === undefined) return NAMELESS;
  return describe(group, sum(group) / (options.toUs - options.fromUs), options);
}

/** Of a stack that was interrupted, where a line is exact. */
export interface StackFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0: where it stands. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** Names what an interrupted stack shows; `frames` from the innermost to the outermost. */
export function nameStack(frames: readonly StackFrame[], options: Omit<NamingOptions, 'fromUs' | 'toUs'>): BlockName {
  const path = frames.map((callFrame, id) => ({ id, callFrame })).toReversed();
  const at = placeIn(path, options.agentFile);
  const node = path[at];
  const place = node === undefined ? null : placeOf(node);
  if (place === null) return NAMELESS;
  const callee = path[at + 1];
  const source = callee === undefined ? options.readSource(place.file) : null;
  const builtin = source === null ? null : findBuiltin(source, place.line);
  const within = callee === undefined ? (builtin?.name ?? null) : nameOf(callee);
  const stack = path.map(placeOf).filter((one) => one !== null);
  return { place, within: within?.slice(0, MAX_WORD_LENGTH) ?? null, share: null, stack: stack.slice(-MAX_STACK) };
}

function describe(group: readonly Leaf[], share: number, options: NamingOptions): BlockName {
  const heaviest = group.toSorted((a, b) => b.weightUs - a.weightUs)[0];
  const node = heaviest?.path[heaviest.at];
  if (heaviest === undefined || node === undefined) return NAMELESS;
  const file = fileOf(node.callFrame.url);
  const source = options.readSource(file);
  const callee = heaviestCallee(group);
  const start = { line: node.callFrame.lineNumber + 1, column: node.callFrame.columnNumber + 1 };
  let within: string | null = null;
  let position = start;
  if (callee === null) {
    const line = hottestLine(group) ?? start.line;
    const builtin = source === null ? null : findBuiltin(source, line);
    position = builtin ?? { line, column: 1 };
    within = builtin?.name ?? null;
  } else {
    within = nameOf(callee);
    const call = source === null ? null : findCall(source, start, callee.callFrame.functionName);
    position = call ?? start;
  }
  const place = { function: functionOf(node), file, ...position };
  const stack = heaviest.path
    .map((one, index) => (index === heaviest.at ? place : placeOf(one)))
    .filter((one) => one !== null)
    .slice(-MAX_STACK);
  return { place, within: within?.slice(0, MAX_WORD_LENGTH) ?? null, share: Math.min(1, share), stack };
}

/** The time of each node on top of the stack within the block; that of the garbage collector is whose it interrupted. */
function weighLeaves({ nodes, samples = [], timeDeltas = [], startTime }: CpuProfile, options: NamingOptions): Leaf[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const leaves = new Map<number, Leaf>();
  let atUs = startTime;
  let interrupted: ProfileNode | undefined;
  let last: { readonly leaf: Leaf; readonly atUs: number } | null = null;
  for (const [index, id] of samples.entries()) {
    const sinceUs = atUs;
    atUs += timeDeltas[index] ?? 0;
    const sampled = byId.get(id);
    const node = sampled?.callFrame.functionName === GARBAGE_COLLECTOR ? (interrupted ?? sampled) : sampled;
    interrupted = node;
    if (node === undefined || atUs <= options.fromUs) continue;
    // The sampler's thread may come late: what it sees just after the end is what comes after it.
    if (atUs > options.toUs) break;
    let leaf = leaves.get(node.id);
    if (leaf === undefined) {
      const path = pathTo(node, parents);
      leaf = { path, at: placeIn(path, options.agentFile), weightUs: 0 };
      leaves.set(node.id, leaf);
    }
    leaf.weightUs += atUs - Math.max(sinceUs, options.fromUs);
    last = { leaf, atUs };
  }
  if (last !== null) last.leaf.weightUs += options.toUs - last.atUs;
  return [...leaves.values()];
}

function pathTo(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): ProfileNode[] {
  const path: ProfileNode[] = [];
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) path.unshift(at);
  return path;
}

/** The application's innermost function; a package's where the application has none there. */
function placeIn(path: readonly ProfileNode[], agentFile: string): number {
  for (const distance of [APPLICATION, PACKAGE]) {
    const at = path.findLastIndex((node) => distanceOf(node, agentFile) === distance);
    if (at !== -1) return at;
  }
  return -1;
}

function distanceOf({ callFrame: { url } }: ProfileNode, agentFile: string): number {
  if (url === '' || url.startsWith('node:') || url === agentFile) return FOREIGN;
  return url.includes('/node_modules/') ? PACKAGE : APPLICATION;
}

/** What the place had called for most of its time; null where it was on top itself. */
function heaviestCallee(group: readonly Leaf[]): ProfileNode | null {
  const weights = new Map<string, { node: ProfileNode | null; weightUs: number }>();
  for (const { path, at, weightUs } of group) {
    const node = path[at + 1] ?? null;
    const key = node === null ? '' : `${node.callFrame.functionName}\n${node.callFrame.url}`;
    const entry = weights.get(key) ?? { node, weightUs: 0 };
    entry.weightUs += weightUs;
    weights.set(key, entry);
  }
  return [...weights.values()].sort((a, b) => b.weightUs - a.weightUs)[0]?.node ?? null;
}

/** Of the place itself, where it was on top. */
function hottestLine(group: readonly Leaf[]): number | null {
  const ticksOf = new Map<number, number>();
  for (const { path, at } of group) {
    if (at !== path.length - 1) continue;
    for (const { line, ticks } of path[at]?.positionTicks ?? []) ticksOf.set(line, (ticksOf.get(line) ?? 0) + ticks);
  }
  return [...ticksOf].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** A call into a package says which. */
function nameOf({ callFrame: { functionName, url } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const packaged = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  return packaged === undefined ? name : `${name} (${packaged})`;
}

const functionOf = ({ callFrame: { functionName } }: ProfileNode): string =>
  functionName === '' ? '(anonymous)' : functionName.slice(0, MAX_WORD_LENGTH);

/** Null for the root. */
function placeOf(node: ProfileNode): CodePlace | null {
  const { functionName, url, lineNumber, columnNumber } = node.callFrame;
  if (functionName === '(root)') return null;
  const line = Math.max(0, lineNumber + 1);
  return { function: functionOf(node), file: fileOf(url), line, column: Math.max(0, columnNumber + 1) };
}

/** Modules have URLs, what is required has paths. */
function fileOf(url: string): string {
  if (!url.startsWith('file://')) return url;
  const path = url.slice('file://'.length).replace(/[?#].*$/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const sum = (leaves: readonly Leaf[]): number => leaves.reduce((total, { weightUs }) => total + weightUs, 0);
