/** A flame graph of profiles as one HTML file that works offline; with an earlier version beside it, what has changed. */
import { type Category, CATEGORIES, type CpuProfile } from '../model/profile.ts';
import {
  type FlameGroup,
  type FlameLabel,
  type FlameModel,
  type FlameTimeline,
  type FlameTree,
  pruneTimeline,
  pruneTree,
  renderFlamePage,
  sumTotals,
} from '../../view/index.ts';
import { markOutermost } from '../passes/totals.ts';
import { FlameLabels, type FunctionChange } from './flame-labels.ts';
import { MergedTree } from './merged-tree.ts';

export interface FlameOptions {
  readonly title: string;
  /** What the two sides are called; of a plain graph only the second is used. */
  readonly names: readonly [before: string, after: string];
  /** At most about so many frames; the thinnest branches are merged. 150,000 unless told. */
  readonly mostFrames?: number;
}

/** The version before, and which of its functions are which of the later one. */
export interface FlameBefore {
  readonly profiles: readonly CpuProfile[];
  readonly changes: readonly FunctionChange[];
  /** What stands in the way of saying more; shown on the page. */
  readonly notes: readonly string[];
}

const MOST_FRAMES = 150_000;
const MOST_SPANS = 300_000;

/** Places in the palette of `view`: what belongs together has a hue, what is less of interest is grey. */
const SWATCHES: Readonly<Record<Category, number>> = {
  application: 0,
  dependency: 1,
  node: 2,
  gc: 3,
  idle: 4,
  program: 5,
  regexp: 6,
  json: 7,
  crypto: 8,
  'module-loading': 9,
  compilation: 10,
  native: 11,
};
const SMALLER = '(smaller)';

/**
 * One file without anything from elsewhere. Several profiles of a side are windows of one service and add up; only a
 * single one has an order in time. Throws a RangeError where there is no profile, or where units differ.
 */
export function renderFlameHtml(
  profiles: readonly CpuProfile[],
  before: FlameBefore | null,
  options: FlameOptions,
): string {
  return renderFlamePage(describeFlame(profiles, before, options));
}

/** What `renderFlameHtml` shows, before it is text. */
export function describeFlame(
  profiles: readonly CpuProfile[],
  before: FlameBefore | null,
  { title, names, mostFrames = MOST_FRAMES }: FlameOptions,
): FlameModel {
  const all = [...(before?.profiles ?? []), ...profiles];
  const [first] = profiles;
  if (first === undefined || before?.profiles.length === 0) throw new RangeError('there is no profile');
  if (all.some(({ unit }) => unit !== first.unit)) throw new RangeError('profiles count in different units');
  const labels = new FlameLabels(before?.changes ?? []);
  const merged = new MergedTree(before !== null, (side, fn) => labels.labelOf(side, fn));
  const places = profiles.map((profile) => merged.add(profile, 'after'));
  for (const profile of before?.profiles ?? []) merged.add(profile, 'before');
  const whole = merged.finish();
  const smallerLabel = labels.list.length;
  const { tree, placeOf, mergedCount, leastShare } = pruneTree(whole, { leastShare: 0, mostFrames, smallerLabel });
  const notes = [...(before?.notes ?? []), ...new Set(all.flatMap((profile) => profile.notes))];
  if (mergedCount > 0) notes.push(describeMerged(mergedCount, leastShare));
  const timeline = before === null && profiles.length === 1 ? findTimeline(first, places[0], placeOf, notes) : null;
  return {
    title,
    subtitle: describeSides(profiles, before, names, merged.idle),
    unit: first.unit,
    groups: CATEGORIES.map((name): FlameGroup => ({ name, swatch: SWATCHES[name] })).concat({
      name: 'merged',
      swatch: 5,
    }),
    labels: makeLabels(labels, whole),
    tree,
    timeline,
    sides: before === null ? null : names,
    notes,
  };
}

function findTimeline(
  profile: CpuProfile,
  placeInWhole: Uint32Array | undefined,
  placeOf: Uint32Array,
  notes: string[],
): FlameTimeline | null {
  if (!profile.isChronological || placeInWhole === undefined) return null;
  const { count, node, durationUs } = profile.samples;
  const { timeline, slotDuration } = pruneTimeline(
    count,
    (at) => placeInWhole[node[at] as number] as number,
    (at) => durationUs[at] as number,
    placeOf,
    MOST_SPANS,
  );
  if (slotDuration > 0)
    notes.push(`In order of time, what ran longest in each ${(slotDuration / 1000).toFixed(2)} ms is shown.`);
  return timeline;
}

const describeMerged = (count: number, share: number): string =>
  `${count.toLocaleString('en')} frames of less than ${(share * 100).toPrecision(2)} % each were merged into frames called “${SMALLER}”; sums are what they were.`;

function makeLabels({ list }: FlameLabels, whole: FlameTree): FlameLabel[] {
  const after = sumLabels(whole, whole.self, list.length);
  const before = whole.selfBefore === null ? null : sumLabels(whole, whole.selfBefore, list.length);
  const labels = list.map(({ fn, change }, label): FlameLabel => ({
    name: fn.name,
    file: fn.url,
    line: fn.line,
    column: fn.column,
    group: CATEGORIES.indexOf(fn.category),
    note: fn.package ?? '',
    self: after.self[label] as number,
    total: after.total[label] as number,
    change:
      before === null
        ? null
        : {
            selfBefore: before.self[label] as number,
            totalBefore: before.total[label] as number,
            q: change?.q ?? null,
            isSignificant: change === null || change.q === null ? null : change.isChanged,
          },
  }));
  const nothing = before === null ? null : { selfBefore: 0, totalBefore: 0, q: null, isSignificant: null };
  labels.push({
    name: SMALLER,
    file: '',
    line: 0,
    column: 0,
    group: CATEGORIES.length,
    note: '',
    self: 0,
    total: 0,
    change: nothing,
  });
  return labels;
}

/** Own and whole weight of each label; a label below itself counts once. */
function sumLabels(
  tree: FlameTree,
  weights: Float64Array,
  labelCount: number,
): { self: Float64Array; total: Float64Array } {
  const self = new Float64Array(labelCount);
  const total = new Float64Array(labelCount);
  const totals = sumTotals(tree.parent, weights);
  const itself = Uint32Array.from({ length: labelCount }, (_, label) => label);
  const nodes = { nodeCount: tree.count, parent: tree.parent, functionOf: tree.labelOf };
  const isOutermost = markOutermost(nodes, itself, labelCount);
  for (let node = 0; node < tree.count; node += 1) {
    const label = tree.labelOf[node] as number;
    self[label] = (self[label] as number) + (weights[node] as number);
    if (isOutermost[node] === 1) total[label] = (total[label] as number) + (totals[node] as number);
  }
  return { self, total };
}

function describeSides(
  profiles: readonly CpuProfile[],
  before: FlameBefore | null,
  [nameBefore, nameAfter]: readonly [string, string],
  idle: MergedTree['idle'],
): string {
  const of = (side: readonly CpuProfile[], idleUs: number): string => {
    const [first] = side;
    if (first?.unit !== 'microseconds') return `${side.length} profiles`;
    const seconds = (us: number): string => `${(us / 1e6).toFixed(2)} s`;
    const samples = side.reduce((sum, { sampleCount }) => sum + (sampleCount ?? 0), 0);
    const busy = side.reduce((sum, { selfUs }) => sum + selfUs.reduce((a, b) => a + b, 0), 0) - idleUs;
    const parts = [`${seconds(busy)} of work`];
    if (idleUs > 0) parts.push(`${seconds(idleUs)} idle, left out`);
    if (samples > 0) parts.push(`${samples.toLocaleString('en')} samples`);
    if (side.length > 1) parts.push(`${side.length} windows`);
    return parts.join(', ');
  };
  const after = `${nameAfter}: ${of(profiles, idle.after)}`;
  return before === null ? after : `${nameBefore}: ${of(before.profiles, idle.before)} → ${after}`;
}
