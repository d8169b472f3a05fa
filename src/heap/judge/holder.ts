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
import { EDGE } from '../model/node-types.ts';
import { NONE } from '../source/words.ts';
import type { ScriptKind } from '../source/script-names.ts';
import { type Anchor, type ChainStep, findAnchors, readChain } from './chain.ts';
import { findStorage } from './async-storage.ts';
import type { Members } from './members.ts';
import { fileOfRecord, isModuleRecord } from './module-records.ts';
import { findEvent, findEventsStep, isTimer, isTimers } from './pattern.ts';
import { kindOfAnchor, nameAnchor, nameClass } from './name-anchor.ts';
import { type Places, writeLocation } from './places.ts';
import { findCallback, isApplications, nameRuntimeHolder } from './runtime-holder.ts';
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
  const { reading } = territory;
  const kindOf = (anchor: Anchor): ScriptKind => kindOfAnchor(places, anchor);
  const callback = findCallback(territory, members);
  const storage = pattern === 'async-context' ? nameStorage(places, territory, members) : undefined;
  // Stores that hold one another grow by themselves, whoever holds the last one.
  const isChain = members.entries.length < 6 && !members.entries.some((entry) => isTimer(reading, entry));
  if (storage !== undefined && isChain) {
    return { ...storage, text: `${storage.text}, each of which leads to the one before`, callback };
  }
  const { anchors, chosen } = chooseAnchor(places, chain);
  const event = findEvent(reading, chain);
  // Node's ring of timers is nobody's, whichever timer of somebody leads into it; and what a package's emitter tells the
  // application is named by who listens.
  const isNodes = chosen === undefined || isTimers(reading, chain);
  if (isNodes || (event !== '' && kindOf(chosen) !== 'application' && isApplications(reading, callback))) {
    const named = nameRuntimeHolder(places, territory, chain, members, { pattern, callback, inner: anchors.at(-1) });
    return storage === undefined ? named : { ...named, text: `${named.text}, which keep ${storage.text}` };
  }

  const named = nameAnchor(places, chain, chosen);
  const emitter = event === '' ? NONE : (chain[findEventsStep(reading, chain)] as ChainStep).owner;
  const emitterClass = emitter === NONE ? '' : nameClass(places, emitter);
  const whole = `the ${named.what} ${named.words}`;
  const parts = [
    event === ''
      ? whole
      : `listeners for \`${event}\` of ${emitter === named.held ? whole : `${emitterClass} objects, reached through ${whole}`}`,
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
    holder:
      event === ''
        ? named.holder
        : { ...named.holder, kind: 'event', what: emitterClass, name: event, owner: named.holder.name },
    text: parts.join(', '),
    held: named.held,
    callback,
  };
}

/**
 * The nearest name of the application on the way, or else of a package; undefined where only the runtime has names. Of
 * listeners it is the emitter's name, not that of the table that every emitter has.
 */
function chooseAnchor(places: Places, chain: readonly ChainStep[]): { anchors: Anchor[]; chosen: Anchor | undefined } {
  const table = findEventsStep(places.reading, chain);
  const anchors = findAnchors(places.reading, chain, {
    scriptOfNode: (node) => places.scriptOfNode(node),
    fileOfModule: (node) => (isModuleRecord(places, node) ? fileOfRecord(places.reading, node) : ''),
  }).filter(({ at }) => table === -1 || at < table);
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
