/** Why is it alive: paths from the root to a node over edges that retain, nearest first. */
import { type HeapAnalysis, NO_DISTANCE } from '../model/analysis.ts';
import { findRetainers, type Retainers } from './retainers.ts';

/** One step: `edge` leads from `from` to `to`. */
export interface PathStep {
  readonly from: number;
  readonly edge: number;
  readonly to: number;
}

/** From a child of the root, or the root itself, down to the node; every step nearer to it. */
export type RetainingPath = readonly PathStep[];

export interface PathOptions {
  /** At most so many paths; each comes in over another edge to the node. 5 unless told. */
  readonly max?: number;
}

/**
 * Shortest retaining paths to `node`, one per retaining edge to it, nearest retainers first. Empty when nothing retains it.
 * Builds the retainers of the whole graph on the first call (8 bytes an edge).
 */
export function findPaths(analysis: HeapAnalysis, node: number, { max = 5 }: PathOptions = {}): RetainingPath[] {
  const retainers = findRetainers(analysis.graph);
  const last = listRetainingSteps(analysis, retainers, node).filter(
    ({ from }) => analysis.distance[from] !== NO_DISTANCE,
  );
  last.sort((a, b) => distanceOf(analysis, a.from) - distanceOf(analysis, b.from) || a.edge - b.edge);
  const paths: RetainingPath[] = [];
  for (const step of last) {
    if (paths.length >= max) break;
    const path = climb(analysis, retainers, step);
    if (path !== null) paths.push(path);
  }
  return paths;
}

/** From `step` up to the root over the nearest retainers; null where that comes back to the node itself. */
function climb(analysis: HeapAnalysis, retainers: Retainers, step: PathStep): RetainingPath | null {
  const steps = [step];
  for (let at = step.from; at !== 0 && analysis.distance[at] !== 1;) {
    if (at === step.to) return null;
    const own = distanceOf(analysis, at);
    let nearest: PathStep | null = null;
    for (const candidate of listRetainingSteps(analysis, retainers, at))
      if (distanceOf(analysis, candidate.from) < distanceOf(analysis, nearest?.from ?? at)) nearest = candidate;
    if (nearest === null || distanceOf(analysis, nearest.from) >= own) return steps.reverse();
    steps.push(nearest);
    at = nearest.from;
  }
  return steps.reverse();
}

function listRetainingSteps(analysis: HeapAnalysis, retainers: Retainers, to: number): PathStep[] {
  const steps: PathStep[] = [];
  const end = retainers.first[to + 1] as number;
  for (let at = retainers.first[to] as number; at < end; at += 1) {
    const edge = retainers.edge[at] as number;
    const from = retainers.from[at] as number;
    if (analysis.edgeRules.retains(from, edge)) steps.push({ from, edge, to });
  }
  return steps;
}

const distanceOf = (analysis: HeapAnalysis, node: number): number => {
  const distance = analysis.distance[node] as number;
  return distance === NO_DISTANCE ? Number.POSITIVE_INFINITY : distance;
};
