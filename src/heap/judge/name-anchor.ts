/** Names of variables and properties in a reader's words, with the place where they are written. */
import { labelOfEdge, labelOfNode } from '../compare/labels.ts';
import { EDGE } from '../model/node-types.ts';
import { kindOfFile, type ScriptKind } from '../source/script-names.ts';
import type { Anchor, ChainStep } from './chain.ts';
import { type Places, writeLocation } from './places.ts';
import type { Holder, SourceLocation } from './verdict.ts';

export function kindOfAnchor({ reading }: Places, { kind, file, script }: Anchor): ScriptKind {
  if (kind === 'global') return 'application';
  return file === undefined ? reading.scripts.kindOf(script) : kindOfFile(file);
}

export interface NamedAnchor {
  /** What the name leads to. */
  readonly held: number;
  readonly holder: Holder;
  readonly what: string;
  readonly words: string;
}

export function nameAnchor(places: Places, chain: readonly ChainStep[], anchor: Anchor): NamedAnchor {
  const { reading } = places;
  const { declarations } = reading;
  const path = plainPath(places, chain, anchor);
  const held = (chain[anchor.at + path.length] as ChainStep).node;
  const what = nameClass(places, held);
  const name = [anchor.name, ...path].join('.');
  const at = (location: SourceLocation | undefined): string =>
    location === undefined ? '' : ` at ${writeLocation(location)}`;
  switch (anchor.kind) {
    case 'module-variable': {
      const location = places.inScript(anchor.script, declarations.variable(anchor.script, anchor.name));
      const holder: Holder = { kind: anchor.kind, what, name, owner: '', ...(location && { location }) };
      return { held, holder, what, words: `\`${name}\`${at(location)} (module variable)` };
    }
    case 'captured-variable': {
      const owner = reading.scripts.functionOfContext(anchor.owner);
      const from = owner === '' ? 1 : (declarations.variable(anchor.script, owner)?.line ?? 1);
      const location = places.inScript(anchor.script, declarations.variable(anchor.script, anchor.name, from));
      const holder: Holder = { kind: anchor.kind, what, name, owner, ...(location && { location }) };
      const of = owner === '' ? 'a function' : `\`${owner}\``;
      return { held, holder, what, words: `\`${name}\`${at(location)} (variable of ${of}, captured by a closure)` };
    }
    case 'global': {
      return {
        held,
        holder: { kind: anchor.kind, what, name, owner: '' },
        what,
        words: `\`${name}\` (property of globalThis)`,
      };
    }
    case 'property':
      break;
  }
  const owner = nameClass(places, anchor.owner);
  if (anchor.file !== undefined) {
    const location = places.inFile(anchor.file);
    const holder: Holder = { kind: anchor.kind, what, name, owner, location };
    return { held, holder, what, words: `\`${name}\` of the record that Node keeps of ${location.file}` };
  }
  const location = findProperty(places, anchor, path) ?? places.ofNode(anchor.owner);
  const holder: Holder = { kind: anchor.kind, what, name, owner, ...(location && { location }) };
  return { held, holder, what, words: `\`${name}\` of \`${owner}\`${at(location)} (property)` };
}

/**
 * Where a property is made. What a package does not write itself, the application has added to its object
 * (`app.context.failures = []`): the one file of the application that gives it a value is meant.
 */
function findProperty(places: Places, anchor: Anchor, path: readonly string[]): SourceLocation | undefined {
  const { scripts, declarations } = places.reading;
  const last = path.at(-1) ?? anchor.name;
  if (kindOfAnchor(places, anchor) !== 'application' && declarations.property(anchor.script, last) === undefined) {
    const made = scripts.scripts
      .filter((script) => scripts.kindOf(script) === 'application')
      .map((script) => ({ script, position: declarations.property(script, last) }))
      .filter(({ position }) => position !== undefined);
    const [only] = made;
    if (only !== undefined && made.length === 1) return places.inScript(only.script, only.position);
  }
  const near = places.ofNode(anchor.owner)?.line ?? 1;
  const position =
    declarations.property(anchor.script, last, near) ?? declarations.property(anchor.script, anchor.name, near);
  return position === undefined ? undefined : places.inScript(anchor.script, position);
}

/** Properties between an anchor and the holder that are no anchors themselves: `state.sessions`. */
function plainPath(places: Places, chain: readonly ChainStep[], anchor: Anchor): string[] {
  const { reading } = places;
  const { graph, words } = reading;
  const path: string[] = [];
  for (const { owner, edge } of chain.slice(anchor.at + 1)) {
    if (graph.edgeType[edge] !== EDGE.property || !words.isNamed(owner, 'Object') || path.length === 3) break;
    const label = labelOfEdge(reading, owner, edge);
    if (!label.startsWith('.')) break;
    path.push(label.slice(1));
  }
  return path;
}

/** A class of a package is named with its package where its own name says nothing: minified names do not. */
export function nameClass(places: Places, node: number): string {
  const name = readableClass(labelOfNode(places.reading, node));
  if (name.length > 2) return name;
  const file = places.reading.scripts.fileOf(places.scriptOfNode(node));
  const [, owner] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file) ?? [];
  return owner === undefined ? name : `${owner} object`;
}

export const readableClass = (label: string): string => (label === '(storage)' ? 'table' : label.trim() || 'object');
