/** `heap analyze`: what one file holds, whichever kind it is. */
import { basename } from 'node:path';
import type { HeapAnalysis } from '../model/analysis.ts';
import type { AllocatingFunction, AllocationTree } from '../model/allocation-tree.ts';
import type { HeapAllocations, HeapGraph } from '../model/graph.ts';
import { listAllocationSites, type AllocationSite } from '../passes/allocation-sites.ts';
import type { SamplingProfile } from '../read/sampling-profile.ts';
import type { AnalyzeDocument, ClassRow } from '../report/documents.ts';
import { pathOf } from '../source/declarations.ts';
import type { HeapSuspect } from '../judge/verdict.ts';
import { formatBytes, formatShare } from '../quantity.ts';
import type { Described } from './describe.ts';
import { type PlaceOptions, type Places, toShownLocation } from './places.ts';

/** All classes with objects, those that keep most first. */
const listClasses = ({ classes }: HeapAnalysis, places: Places): ClassRow[] =>
  classes
    .filter(({ count }) => count > 0)
    .toSorted((one, two) => two.retainedBytes - one.retainedBytes || (one.name < two.name ? -1 : 1))
    .map(({ name, count, shallowBytes, retainedBytes, location }) => {
      const place = location === null ? undefined : places.at(location.scriptId, location.line, location.column);
      return { name, count, shallowBytes, retainedBytes, ...(place === undefined ? {} : { location: place }) };
    });

export const answerAnalyze = (
  { analysis, places, isRedacted }: Described,
  file: string,
  options: PlaceOptions,
  suspects: readonly HeapSuspect[],
): AnalyzeDocument => {
  const { graph, totalBytes } = analysis;
  return {
    kind: graph.allocations === null && graph.samples.count === 0 ? 'snapshot' : 'timeline',
    file: basename(file),
    nodes: graph.nodeCount,
    edges: graph.edgeCount,
    totalBytes,
    headline: writeHeadline(suspects, totalBytes),
    reasons: [],
    classes: listClasses(analysis, places),
    suspects,
    allocations:
      graph.allocations === null ? [] : mapSites(listAllocationSites(toLiveTree(graph, graph.allocations)), options),
    isRedacted,
  };
};

/** Of a sampling profile, which knows allocations alone. */
export const answerSampling = (
  { tree }: SamplingProfile,
  file: string,
  options: PlaceOptions,
  isRedacted: boolean,
): AnalyzeDocument => {
  const allocations = mapSites(listAllocationSites(tree), options);
  const totalBytes = tree.selfBytes.reduce((sum, bytes) => sum + bytes, 0);
  const [first] = allocations.filter(({ scriptName }) => scriptName !== '');
  return {
    kind: 'sampling',
    file: basename(file),
    nodes: null,
    edges: null,
    totalBytes,
    headline:
      first === undefined
        ? ''
        : `\`${first.name}\` at ${first.scriptName}:${first.line} allocated most of what is alive: ${formatBytes(first.selfBytes)}, ${formatShare(first.selfBytes / totalBytes)}.`,
    reasons: [],
    classes: [],
    suspects: [],
    allocations,
    isRedacted,
  };
};

/** What the traces allocated and what of it is still in the heap, which the file's own sums do not tell. */
const toLiveTree = (graph: HeapGraph, allocations: HeapAllocations): AllocationTree => {
  const { functions, parent, functionOf, traceId, traceNodeId } = allocations;
  const nodeOf = new Map<number, number>();
  for (const [node, id] of traceId.entries()) nodeOf.set(id, node);
  const selfBytes = new Float64Array(parent.length);
  const selfCount = new Float64Array(parent.length);
  for (const [object, id] of traceNodeId.entries()) {
    const node = id === 0 ? undefined : nodeOf.get(id);
    if (node === undefined) continue;
    selfBytes[node]! += graph.selfSize[object]!;
    selfCount[node]! += 1;
  }
  return { functions, parent, functionOf, selfBytes, selfCount };
};

const mapSites = (sites: readonly AllocationSite[], options: PlaceOptions): AllocationSite[] => {
  const map = <Place extends AllocatingFunction>(place: Place): Place => {
    const { scriptName, line, column } = place;
    if (scriptName === '' || line === 0) return place;
    const shown = toShownLocation({ file: pathOf(scriptName), line, column }, options);
    return { ...place, scriptName: shown.file, line: shown.line, column: shown.column };
  };
  return sites.map((site) => ({ ...map(site), callers: site.callers.map(map) }));
};

/** One snapshot shows what is large, which may be just what the program is for. */
const writeHeadline = ([first]: readonly HeapSuspect[], totalBytes: number): string =>
  first === undefined
    ? 'Nothing in particular keeps much of it.'
    : `${formatBytes(first.retainedBytes)} (${formatShare(first.retainedBytes / totalBytes)}) hang from ${first.holder}: large, and only a comparison can tell whether it grows (\`drover heap diff\`).`;
