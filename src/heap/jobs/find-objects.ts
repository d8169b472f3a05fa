/** Objects of a snapshot by id and by class, as people type them. */
import type { HeapAnalysis } from '../model/analysis.ts';
import { NotInSnapshot } from './not-in-snapshot.ts';

/** Throws `NotInSnapshot`. */
export const getNode = ({ graph }: HeapAnalysis, id: number, file: string): number => {
  const node = graph.nodeId.indexOf(id);
  if (node === -1) throw new NotInSnapshot(file, `object @${id}`);
  return node;
};

/** What `heap diff` counts together, and calls as a program would; each is several classes or another name elsewhere. */
const NAMES_IN_DIFF: Readonly<Record<string, readonly string[]>> = {
  string: ['(string)', '(concatenated string)', '(sliced string)'],
  number: ['(number)'],
  symbol: ['(symbol)'],
  bigint: ['(bigint)'],
  function: ['Function'],
  Context: ['system / Context'],
  '(storage)': ['(array)'],
};

/**
 * All objects of the classes with that name, by ordinal, where there are none of those that a comparison calls so. Throws
 * `NotInSnapshot` with the likeliest name that there is.
 */
export const getNodesOfClass = (
  { classes, classOf, shallowSize }: HeapAnalysis,
  name: string,
  file: string,
): number[] => {
  const findClasses = (names: readonly string[]): number[] =>
    [...classes.keys()].filter((at) => classes[at]!.count > 0 && names.includes(classes[at]!.name));
  const found = findClasses([name]);
  if (found.length === 0) found.push(...findClasses(Object.hasOwn(NAMES_IN_DIFF, name) ? NAMES_IN_DIFF[name]! : []));
  const wanted = new Uint8Array(classes.length);
  for (const at of found) wanted[at] = 1;
  if (found.length === 0) throw new NotInSnapshot(file, `class ${name}`, findLikelyName(classes, name));
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
