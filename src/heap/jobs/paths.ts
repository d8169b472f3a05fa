/** `heap paths`: why objects are alive; those that are kept along the same path are one cluster. */
import { basename } from 'node:path';
import type { HeapAnalysis } from '../model/analysis.ts';
import { EDGE } from '../model/node-types.ts';
import { findPaths, type RetainingPath } from '../passes/paths.ts';
import type { PathCluster, PathsDocument } from '../report/documents.ts';
import { type Described, describePath } from './describe.ts';
import { getNode, getNodesOfClass } from './find-objects.ts';

export interface PathsWish {
  readonly id: number | null;
  readonly className: string | null;
  /** Clusters that are listed at most; null for all. */
  readonly top: number | null;
}

/** Of a class with more objects, as many are followed, spread evenly over them in the order of the file. */
const MOST_FOLLOWED = 5_000;
/** Ways to one object; each comes in over another reference. */
const MOST_PATHS_OF_ONE = 10;

export const answerPaths = (described: Described, file: string, wish: PathsWish): PathsDocument => {
  const { analysis, isRedacted } = described;
  const isOne = wish.id !== null;
  const nodes = isOne ? [getNode(analysis, wish.id, file)] : getNodesOfClass(analysis, wish.className ?? '', file);
  const followed = spread(nodes, MOST_FOLLOWED);
  const clusters = new Map<string, Cluster>();
  for (const node of followed)
    for (const path of findPaths(analysis, node, { max: isOne ? MOST_PATHS_OF_ONE : 1 }))
      addTo(clusters, analysis, node, path, isOne);
  const paths = [...clusters.values()].toSorted(
    (one, two) => two.retainedBytes - one.retainedBytes || two.objects - one.objects,
  );
  return {
    file: basename(file),
    of: isOne ? `object @${wish.id}` : `class ${wish.className}`,
    objects: nodes.length,
    followed: followed.length,
    paths: (wish.top === null ? paths : paths.slice(0, wish.top)).map((cluster) => finish(described, cluster)),
    isRedacted,
  };
};

interface Cluster {
  objects: number;
  shallowBytes: number;
  retainedBytes: number;
  readonly node: number;
  readonly path: RetainingPath;
}

const addTo = (
  clusters: Map<string, Cluster>,
  { graph, classOf, shallowSize, retainedSize }: HeapAnalysis,
  node: number,
  path: RetainingPath,
  isOne: boolean,
): void => {
  // Places in arrays and the numbers of V8's tables differ between objects that are kept in the same way.
  const signature = path.map(({ from, edge }) => {
    const type = graph.edgeType[edge]!;
    const isNamed = type === EDGE.property || type === EDGE.context;
    return `${classOf[from]}/${type}/${isNamed ? graph.edgeName[edge] : ''}`;
  });
  const key = isOne ? path.map(({ edge }) => edge).join() : signature.join();
  const cluster = clusters.get(key) ?? { objects: 0, shallowBytes: 0, retainedBytes: 0, node, path };
  cluster.objects += 1;
  cluster.shallowBytes += shallowSize[node]!;
  cluster.retainedBytes += retainedSize[node]!;
  clusters.set(key, cluster);
};

const finish = (described: Described, { node, path, ...sums }: Cluster): PathCluster => ({
  ...sums,
  exampleId: described.analysis.graph.nodeId[node]!,
  path: describePath(described, path),
});

const spread = (nodes: readonly number[], most: number): readonly number[] =>
  nodes.length <= most
    ? nodes
    : Array.from({ length: most }, (_, at) => nodes[Math.floor((at * nodes.length) / most)]!);
