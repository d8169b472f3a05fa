/**
 * Whose code is near to what piled up: functions and variables that a new object leads to. Old objects lead everywhere, so a
 * search looks at them and goes no further.
 */
import type { Territory } from '../compare/territory.ts';
import { EDGE, NODE } from '../model/node-types.ts';
import type { ScriptKind } from '../source/script-names.ts';
import { NONE, wordNumber } from '../source/words.ts';

/** How many nodes are near, where nothing else is asked for. */
export const NEAR = 300;
const PROTO = wordNumber('__proto__');

/** Nodes near `from`, the nearest first, at most `most` of them. */
function* walkNearby({ reading, holdingOf }: Territory, from: number, most: number): Generator<number> {
  const { graph } = reading;
  const seen = new Set([from]);
  const queue = [from];
  for (let at = 0; at < queue.length && at < most; at++) {
    const node = queue[at] as number;
    yield node;
    if (holdingOf[node] === NONE) continue;
    const end = graph.firstEdge[node + 1] as number;
    for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
      const to = graph.edgeTo[edge] as number;
      const type = graph.nodeType[to];
      if (graph.edgeType[edge] === EDGE.weak || seen.has(to)) continue;
      if (type === NODE.code || type === NODE['object shape'] || type === NODE.synthetic) continue;
      if (reading.words.ofEdge(edge) === PROTO) continue;
      seen.add(to);
      queue.push(to);
    }
  }
}

/**
 * The function nearest to a new object that somebody of `kinds` wrote, among what is new with it or made for it: one that is
 * new itself where there is one, for it was made with the object; NONE if there is none near.
 */
export function findFunction(territory: Territory, from: number, kinds: readonly ScriptKind[], most = NEAR): number {
  const { graph, scripts } = territory.reading;
  let old = NONE;
  for (const node of walkNearby(territory, from, most)) {
    if (graph.nodeType[node] !== NODE.closure) continue;
    const script = scripts.scriptOfClosure(node);
    if (script === NONE || !kinds.includes(scripts.kindOf(script))) continue;
    if (territory.holdingOf[node] !== NONE) return node;
    if (old === NONE) old = node;
  }
  return old;
}

/** A variable of one of the application's modules. */
export interface NearVariable {
  readonly name: string;
  readonly script: number;
}

/** The application's variable that holds what is nearest to a new object: the machine that an actor runs, the schema that a validator is of. */
export function findVariable(
  territory: Territory,
  from: number,
  variables: ReadonlyMap<number, NearVariable>,
  most: number,
): NearVariable | undefined {
  for (const node of walkNearby(territory, from, most)) {
    const variable = variables.get(node);
    if (variable !== undefined && territory.holdingOf[node] === NONE) return variable;
  }
  return undefined;
}

/** Objects that variables of the application's modules hold, by node. */
export function listVariables({ reading }: Territory): ReadonlyMap<number, NearVariable> {
  const { graph, scripts, words, blocks } = reading;
  const variables = new Map<number, NearVariable>();
  for (const [context, script] of scripts.moduleContexts) {
    if (scripts.kindOf(script) !== 'application') continue;
    for (let edge = graph.firstEdge[context] as number; edge < (graph.firstEdge[context + 1] as number); edge++) {
      const name =
        graph.edgeType[edge] === EDGE.context
          ? graph.strings.get(graph.edgeName[edge] as number)
          : blocks.nameOf(context, edge);
      if (name !== '') variables.set(graph.edgeTo[edge] as number, { name, script });
    }
  }
  for (const [cell, { name, script }] of scripts.exportCells) {
    if (scripts.kindOf(script) === 'application') variables.set(words.follow(cell, 'value'), { name, script });
  }
  return variables;
}
