/** Objects of a snapshot by id and by class, as people type them. */
import type { HeapAnalysis } from '../model/analysis.ts';
import { NotInSnapshot } from './not-in-snapshot.ts';

/** Throws `NotInSnapshot`. */
export const getNode = ({ graph }: HeapAnalysis, id: number, file: string): number => {
  const node = graph.nodeId.indexOf(id);
  if (node === -1) throw new NotInSnapshot(file, `object @${id}`);
  return node;
};

/** All objects of the classes with that name, by ordinal. Throws `NotInSnapshot` with the likeliest name that there is. */
export const getNodesOfClass = (
  { classes, classOf, shallowSize }: HeapAnalysis,
  name: string,
  file: string,
): number[] => {
  const wanted = new Uint8Array(classes.length);
  let isKnown = false;
  for (const [at, each] of classes.entries())
    if (each.name === name && each.count > 0) {
      wanted[at] = 1;
      isKnown = true;
    }
  if (!isKnown) throw new NotInSnapshot(file, `class ${name}`, findLikelyName(classes, name));
  const nodes: number[] = [];
  // What is merged into its owner has no size, and is no object of its own to anybody who counts.
  for (let node = 0; node < classOf.length; node++)
    if (wanted[classOf[node]!] === 1 && shallowSize[node]! > 0) nodes.push(node);
  return nodes;
};

/** Another spelling of the same letters, else the largest class that contains them. */
const findLikelyName = (classes: HeapAnalysis['classes'], name: string): string => {
  const letters = name.toLowerCase();
  const bySize = classes.filter(({ count }) => count > 0).toSorted((one, two) => two.retainedBytes - one.retainedBytes);
  const found =
    bySize.find((each) => each.name.toLowerCase() === letters) ??
    bySize.find((each) => letters.length > 2 && each.name.toLowerCase().includes(letters));
  return found?.name ?? '';
};
