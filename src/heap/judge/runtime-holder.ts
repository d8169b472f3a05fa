/**
 * What the runtime keeps for somebody: timers, pending promises, open streams, listeners of an object that no variable of the
 * application leads to. It is named by the application's function among what is kept, or by what that leads to.
 */
import { labelOfNode } from '../compare/labels.ts';
import type { Reading } from '../compare/reading.ts';
import type { Territory } from '../compare/territory.ts';
import { NONE } from '../source/words.ts';
import type { Anchor, ChainStep } from './chain.ts';
import type { NamedHolder } from './holder.ts';
import type { Members } from './members.ts';
import { readableClass } from './name-anchor.ts';
import { findFunction, findVariable, listVariables, NEAR, type NearVariable } from './nearby.ts';
import { findEvent, findEventsStep } from './pattern.ts';
import { type Places, writeLocation } from './places.ts';
import type { Holder, LeakPattern } from './verdict.ts';

/** Entries that are looked at: they are alike. */
const MOST_ENTRIES = 12;
/** A package may stand between the runtime and the application, so the search for the application goes far. */
const FAR = 2000;
const SEARCHES = [
  { kinds: ['application'], most: FAR },
  { kinds: ['dependency'], most: NEAR },
] as const;

/** Whether a function is the application's; NONE is not. */
export const isApplications = ({ scripts }: Reading, closure: number): boolean =>
  closure !== NONE && scripts.kindOf(scripts.scriptOfClosure(closure)) === 'application';

/** The commonest function of the application (or else of a package) among what is held. */
export function findCallback(territory: Territory, members: Members): number {
  const { scripts, graph } = territory.reading;
  for (const { kinds, most } of SEARCHES) {
    const found = findCommonest(members, (entry) => {
      const node = findFunction(territory, entry, kinds, most);
      return node === NONE
        ? undefined
        : { item: node, key: `${scripts.scriptOfClosure(node)} ${graph.nodeName[node]}` };
    });
    if (found !== undefined) return found;
  }
  return NONE;
}

/** What most of the first entries lead to. */
function findCommonest<Item>(
  { entries }: Members,
  find: (entry: number) => { readonly item: Item; readonly key: string } | undefined,
): Item | undefined {
  const seen = new Map<string, { item: Item; times: number }>();
  for (const entry of entries.slice(0, MOST_ENTRIES)) {
    const found = find(entry);
    if (found === undefined) continue;
    const known = seen.get(found.key);
    if (known === undefined) seen.set(found.key, { item: found.item, times: 1 });
    else known.times++;
  }
  return [...seen.values()].sort((a, b) => b.times - a.times)[0]?.item;
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

interface Kept {
  readonly pattern: LeakPattern;
  /** See `findCallback`. */
  readonly callback: number;
  /** The nearest name on the way, of whoever it is. */
  readonly inner: Anchor | undefined;
}

export function nameRuntimeHolder(
  places: Places,
  territory: Territory,
  chain: readonly ChainStep[],
  members: Members,
  { pattern, callback, inner }: Kept,
): NamedHolder {
  const { reading } = places;
  const { graph, scripts, words, declarations } = reading;
  const what =
    RUNTIME_WORDS[pattern] ??
    `the ${readableClass(labelOfNode(reading, (chain.at(-1) as ChainStep).node))} kept by Node`;
  const event = findEvent(reading, chain);
  const emitter = readableClass(
    labelOfNode(reading, (chain[Math.max(0, findEventsStep(reading, chain) - 1)] as ChainStep).node),
  );
  const kept = event === '' ? what : `listeners for \`${event}\` of the ${emitter}`;
  // A package's function says little; what Node keeps by itself leads to too much.
  const isPackages = callback !== NONE && !isApplications(reading, callback);
  const link = isPackages ? findLink(territory, members) : undefined;
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
  const scope = words.follow(callback, 'context');
  const within = scope === NONE ? '' : scripts.functionOfContext(scope);
  const who = name === '' ? 'a function' : `\`${name}\``;
  const where = location === undefined ? '' : ` at ${writeLocation(location)}`;
  const text = `${kept} with the callback ${who}${where}${within === '' || within === name ? '' : ` in \`${within}\``}`;
  if (link !== undefined) {
    const written = places.inScript(link.script, declarations.variable(link.script, link.name));
    const at = written === undefined ? '' : ` at ${writeLocation(written)}`;
    const holder: Holder = { kind: 'runtime', what, name: link.name, owner: '', ...(written && { location: written }) };
    return { holder, text: `${text}, which lead to \`${link.name}\`${at} (module variable)`, held: NONE, callback };
  }
  const holder: Holder =
    event === ''
      ? { kind: 'runtime', what, name: name || within, owner: within, ...(location && { location }) }
      : { kind: 'event', what: emitter, name: event, owner: '', ...(location && { location }) };
  return { holder, text, held: NONE, callback };
}

/** The application's variable that most of what is kept leads to. */
function findLink(territory: Territory, members: Members): NearVariable | undefined {
  const variables = listVariables(territory);
  return findCommonest(members, (entry) => {
    const item = findVariable(territory, entry, variables, FAR);
    return item === undefined ? undefined : { item, key: `${item.script} ${item.name}` };
  });
}
