/**
 * Who owns a place in the source. Of all the names on the way to it (module variables, captured variables, properties of
 * classes) the nearest one in the application's own code is the answer: the table inside a Map, or the Map inside a cache
 * library, is true and helps nobody. Where nothing of the application holds it, the function that the runtime keeps for
 * the application is named.
 */
import { labelOfEdge, labelOfNode } from '../compare/labels.ts';
import type { Place } from '../compare/growth.ts';
import type { Ownership } from '../compare/ownership.ts';
import type { Reading } from '../compare/reading.ts';
import type { Territory } from '../compare/territory.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import { NONE } from '../source/words.ts';
import type { ScriptKind } from '../source/script-names.ts';
import { type Anchor, type ChainStep, findAnchors, readChain } from './chain.ts';
import { findStorage } from './async-storage.ts';
import { findFunction, type Members } from './members.ts';
import { fileOfRecord, isModuleRecord } from './module-records.ts';
import { findEventsStep, isTimer } from './pattern.ts';
import { kindOfAnchor, nameAnchor, readableClass } from './name-anchor.ts';
import { type Places, writeLocation } from './places.ts';
import type { Holder, LeakPattern } from './verdict.ts';

export interface NamedHolder {
  readonly holder: Holder;
  readonly text: string;
  /** What the holder's name leads to; NONE where the runtime holds. */
  readonly held: number;
  /** The application's function among what is held, where there is one: a listener, a callback. */
  readonly callback: number;
}

export function nameHolder(
  places: Places,
  territory: Territory,
  chain: readonly ChainStep[],
  members: Members,
  pattern: LeakPattern,
): NamedHolder {
  const kindOf = (anchor: Anchor): ScriptKind => kindOfAnchor(places, anchor);
  const callback = findCallback(territory, members);
  const storage = pattern === 'async-context' ? nameStorage(places, territory, members) : undefined;
  // Stores that hold one another grow by themselves, whoever holds the last one.
  const isChain = members.entries.length < 6 && !members.entries.some((entry) => isTimer(territory.reading, entry));
  if (storage !== undefined && isChain) {
    return { ...storage, text: `${storage.text}, each of which leads to the one before`, callback };
  }
  const { anchors, chosen } = chooseAnchor(places, chain);
  if (chosen === undefined) {
    const named = nameRuntimeHolder(places, chain, members, pattern, callback, anchors.at(-1));
    return storage === undefined ? named : { ...named, text: `${named.text}, which keep ${storage.text}` };
  }

  const event = findEvent(places, chain);
  const named = nameAnchor(places, chain, chosen);
  const parts = [
    event === ''
      ? `the ${named.what} ${named.words}`
      : `listeners for \`${event}\` of the ${named.what} ${named.words}`,
  ];
  // A property says which class; the variable says which of its objects.
  const root = anchors.findLast(
    (anchor) =>
      anchor.at < chosen.at &&
      anchor.kind !== 'property' &&
      anchor.name !== 'this' &&
      kindOf(anchor) === kindOf(chosen),
  );
  if (chosen.kind === 'property' && root !== undefined) {
    const { name, location } = nameAnchor(places, chain, root).holder;
    parts.push(`reached through \`${name}\`${location === undefined ? '' : ` at ${writeLocation(location)}`}`);
  }
  const inner = anchors.at(-1);
  if (inner !== undefined && inner.at > chosen.at && event === '') {
    const within = nameAnchor(places, chain, inner).holder;
    parts.push(`where \`${within.name}\`${within.owner === '' ? '' : ` of \`${within.owner}\``} grows`);
  }
  return {
    holder: event === '' ? named.holder : { ...named.holder, kind: 'event', name: event, owner: named.holder.name },
    text: parts.join(', '),
    held: named.held,
    callback,
  };
}

/** The nearest name of the application on the way, or else of a package; undefined where only the runtime has names. */
function chooseAnchor(places: Places, chain: readonly ChainStep[]): { anchors: Anchor[]; chosen: Anchor | undefined } {
  const anchors = findAnchors(places.reading, chain, {
    scriptOfNode: (node) => places.scriptOfNode(node),
    fileOfModule: (node) => (isModuleRecord(places, node) ? fileOfRecord(places.reading, node) : ''),
  });
  const near = (kind: ScriptKind): Anchor | undefined =>
    anchors.findLast((anchor) => kindOfAnchor(places, anchor) === kind);
  return { anchors, chosen: near('application') ?? near('dependency') };
}

/**
 * What tells one holder from another: a variable of one scope, a property of one class. Places with the same key are
 * parts of one thing, and whether it grows is a question to all of them together.
 */
export function holderKey(places: Places, ownership: Ownership, { holder, key, slot }: Place): string {
  if (holder === NONE) return key;
  const { reading } = places;
  const chain = readChain(reading, ownership, holder);
  const edge = slot === '[]' ? NONE : findSlotEdge(reading, holder, slot);
  if (edge !== NONE) chain.push({ node: reading.graph.edgeTo[edge] as number, owner: holder, edge });
  const { chosen } = chooseAnchor(places, chain);
  if (chosen === undefined) return key;
  const owner = chosen.kind === 'property' ? labelOfNode(reading, chosen.owner) : String(chosen.owner);
  return `${chosen.kind} ${owner} ${chosen.script} ${chosen.name}`;
}

function findSlotEdge(reading: Reading, holder: number, slot: string): number {
  const { graph } = reading;
  const end = graph.firstEdge[holder + 1] as number;
  for (let edge = graph.firstEdge[holder] as number; edge < end; edge++) {
    if (graph.edgeType[edge] !== EDGE.weak && labelOfEdge(reading, holder, edge) === slot) return edge;
  }
  return NONE;
}

/** The AsyncLocalStorage whose stores pile up, when the snapshot tells which one it is and somebody's variable has it. */
function nameStorage(
  places: Places,
  territory: Territory,
  members: Members,
): Omit<NamedHolder, 'callback'> | undefined {
  const node = findStorage(territory, members);
  if (node === NONE) return undefined;
  const chain = readChain(territory.reading, territory.ownership, node);
  const { chosen } = chooseAnchor(places, chain);
  if (chosen === undefined) return undefined;
  const { holder, words } = nameAnchor(places, chain, chosen);
  return {
    holder,
    text: `the stores of the ${holder.what} ${words}`,
    held: NONE,
  };
}

/** The event whose listeners pile up; empty when the way does not end in a table of events. */
function findEvent({ reading }: Places, chain: readonly ChainStep[]): string {
  const table = findEventsStep(reading, chain);
  if (table === -1) return '';
  const { graph } = reading;
  for (const { owner, edge } of chain.slice(table + 1)) {
    const label = labelOfEdge(reading, owner, edge);
    if (label.startsWith('.')) return label.slice(1);
    // In a Map the key stands before the value.
    if (graph.nodeType[owner] !== NODE.array) continue;
    const key = edge > (graph.firstEdge[owner] as number) ? (graph.edgeTo[edge - 1] as number) : NONE;
    if (key !== NONE && graph.nodeType[key] === NODE.string) return graph.strings.get(graph.nodeName[key] as number);
  }
  return 'events';
}

/** The commonest function of the application (or else of a package) among what is held. */
function findCallback(territory: Territory, { entries }: Members): number {
  const { scripts, graph } = territory.reading;
  for (const kinds of [['application'], ['dependency']] as const) {
    const seen = new Map<string, { node: number; times: number }>();
    for (const entry of entries.slice(0, 12)) {
      const node = findFunction(territory, entry, kinds);
      if (node === NONE) continue;
      const key = `${scripts.scriptOfClosure(node)} ${graph.nodeName[node]}`;
      const one = seen.get(key);
      if (one === undefined) seen.set(key, { node, times: 1 });
      else one.times++;
    }
    const best = [...seen.values()].sort((a, b) => b.times - a.times)[0];
    if (best !== undefined) return best.node;
  }
  return NONE;
}

/** Labels of what everything is made of. */
const PLAIN = /^(?:Object|Array|Map|Set|Context|string|number|symbol|RegExp|\(storage\)|system \/ .*|function .*|)$/;

const RUNTIME_WORDS: Partial<Record<LeakPattern, string>> = {
  timers: 'active timers',
  promises: 'pending promises',
  'async-context': 'timers and other work of Node with an async context',
  listeners: 'listeners of an object of Node',
  streams: 'open streams of Node',
  buffers: 'buffers of Node',
};

function nameRuntimeHolder(
  places: Places,
  chain: readonly ChainStep[],
  members: Members,
  pattern: LeakPattern,
  callback: number,
  inner: Anchor | undefined,
): NamedHolder {
  const { reading } = places;
  const { graph, scripts } = reading;
  const what =
    RUNTIME_WORDS[pattern] ??
    `the ${readableClass(labelOfNode(reading, (chain.at(-1) as ChainStep).node))} kept by Node`;
  const event = findEvent(places, chain);
  const kept =
    event === ''
      ? what
      : `listeners for \`${event}\` of the ${readableClass(labelOfNode(reading, (chain[Math.max(0, findEventsStep(reading, chain) - 1)] as ChainStep).node))}`;
  if (callback === NONE) {
    const file = inner === undefined ? '' : scripts.fileOf(inner.script);
    const holder: Holder = { kind: 'runtime', what, name: inner?.name ?? '', owner: file };
    const parts = members.classes.filter(({ label }) => !PLAIN.test(label)).slice(0, 3);
    const of = parts.length === 0 ? '' : ` (${parts.map(({ label }) => label).join(', ')})`;
    return {
      holder,
      text: inner === undefined ? `${kept}${of}` : `${kept} (\`${inner.name}\` of ${file})`,
      held: NONE,
      callback,
    };
  }
  const location = places.ofNode(callback);
  const name = graph.strings.get(graph.nodeName[callback] as number);
  const scope = reading.words.follow(callback, 'context');
  const within = scope === NONE ? '' : scripts.functionOfContext(scope);
  const who = name === '' ? 'a function' : `\`${name}\``;
  const holder: Holder = {
    kind: event === '' ? 'runtime' : 'event',
    what,
    name: name || within || event,
    owner: within,
    ...(location && { location }),
  };
  const where = location === undefined ? '' : ` at ${writeLocation(location)}`;
  return {
    holder,
    text: `${kept} with the callback ${who}${where}${within === '' || within === name ? '' : ` in \`${within}\``}`,
    held: NONE,
    callback,
  };
}
