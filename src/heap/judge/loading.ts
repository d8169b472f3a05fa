/**
 * Growth that is the loading of code. Modules are loaded once each and their number is that of the files there are, so a
 * service which loads them late grows for a while and is healthy. The same file loaded again and again is a leak.
 */
import { EDGE, NODE } from '../model/node-types.ts';
import type { Place } from '../compare/growth.ts';
import type { Territory } from '../compare/territory.ts';
import { NONE } from '../source/words.ts';
import type { Reading } from '../compare/reading.ts';
import type { ChainStep } from './chain.ts';
import { fileOfRecord, isModuleRecord, LOADER } from './module-records.ts';
import type { Places } from './places.ts';
import type { Draft } from './suspects.ts';

/** @param isNewScript Whether a Script node came with the last step. */
export function isLoading(
  places: Places,
  territory: Territory,
  { place, chain, members }: Draft,
  isNewScript: (script: number) => boolean,
): boolean {
  const { reading } = territory;
  const { entries, keys } = members;
  const records = entries.filter((entry) => isModuleRecord(places, entry));
  if (records.length * 2 > entries.length) {
    return areDistinct(records.map((record) => fileOfRecord(reading, record)));
  }
  if (isLoaders(reading, place, chain)) {
    return keys.length < FEW_KEYS || areDistinct(keys.map((key) => textOf(reading, key)));
  }
  if (entries.length === 0) return false;
  const files = entries.map((entry) => newFile(territory, entry, isNewScript));
  const named = files.filter((file) => file !== '');
  return named.length * 10 > entries.length * 7 && areDistinct(named);
}

/** Held by variables or functions of the loaders themselves. */
const isLoaders = ({ graph, scripts }: Reading, { key }: Place, chain: readonly ChainStep[]): boolean =>
  LOADER.test(key.replace(/^module /, '')) ||
  chain.some(
    ({ node }) => graph.nodeType[node] === NODE.closure && LOADER.test(scripts.fileOf(scripts.scriptOfClosure(node))),
  );

const textOf = ({ graph }: Reading, node: number): string => graph.strings.get(graph.nodeName[node] as number);

/** Nearly all different. */
const areDistinct = (files: readonly string[]): boolean => new Set(files.map(toSource)).size * 10 > files.length * 8;

/** Queries do not count: they are how the same file is loaded again on purpose. Nor does text that a program makes up: it is in no file. */
const toSource = (url: string): string => (/^(?:data|blob):/.test(url) ? 'made up' : url.replace(/[?#].*$/s, ''));

const MOST_VISITED = 60;
const FEW_KEYS = 6;

/** The file of a function near `from` whose script was loaded in the last step; empty when there is none. */
function newFile(territory: Territory, from: number, isNewScript: (script: number) => boolean): string {
  const { reading, holdingOf } = territory;
  const { graph, scripts } = reading;
  const seen = new Set([from]);
  const queue = [from];
  for (let at = 0; at < queue.length && at < MOST_VISITED; at++) {
    const node = queue[at] as number;
    if (graph.nodeType[node] === NODE.closure) {
      const script = scripts.scriptOfClosure(node);
      if (script !== NONE && isNewScript(script)) return scripts.fileOf(script);
    }
    if (holdingOf[node] === NONE) continue;
    const end = graph.firstEdge[node + 1] as number;
    for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
      const to = graph.edgeTo[edge] as number;
      if (graph.edgeType[edge] === EDGE.weak || seen.has(to) || graph.nodeType[to] === NODE.code) continue;
      seen.add(to);
      queue.push(to);
    }
  }
  return '';
}
